// Reads what lies in the trash of this host's repositories. Nothing is written.
import { asKnibError, type TrashedView, type TrashList, trashedView } from "@knib/core";
import type { Catalog } from "../catalog/catalog.ts";

/** All deleted backups that can still be brought back, oldest point first. A repository that does not answer is named. */
export const listTrash = async (
	catalog: Pick<Catalog, "repositories" | "open">,
): Promise<TrashList> => {
	const backups: TrashedView[] = [];
	const unreadable: { repository: string; message: string }[] = [];
	for (const { id, name } of await catalog.repositories()) {
		try {
			const repository = await catalog.open(id);
			for (const entry of await repository.trash()) {
				const { kind, manifest } = entry;
				if (kind !== "backup" || manifest === null) continue;
				const path = `${repository.path}/trash/${entry.name}`;
				backups.push(trashedView({ ...entry, manifest }, name, path));
			}
		} catch (thrown) {
			unreadable.push({ repository: name, message: asKnibError(thrown).message });
		}
	}
	return {
		backups: backups.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1)),
		unreadable,
	};
};
