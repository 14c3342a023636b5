// Deleted backups that a repository's trash still holds, as `backup list --all` shows them.
import type { BackupMarks } from "../domain/chain.ts";
import { shortId } from "../domain/ids.ts";
import type { Manifest } from "../domain/manifest.ts";
import type { TrashEntry } from "../repository-port.ts";
import { backupView } from "./view-builders.ts";
import type { BackupView } from "./views.ts";

/** A deleted backup that can be brought back until the trash's grace is over. */
export type TrashedView = BackupView & {
	readonly trash: {
		readonly deletedAt: string | null;
		readonly by: string | null;
		/** Ids of all that were deleted together, and come back together, itself included. */
		readonly together: readonly string[];
	};
};

/** What the trash of the repositories holds; those that do not answer are named, not passed over. */
export type TrashList = {
	readonly backups: readonly TrashedView[];
	readonly unreadable: readonly { readonly repository: string; readonly message: string }[];
};

const NO_MARKS: BackupMarks = {
	removed: null,
	pinned: null,
	proofs: [],
	compression: { status: "Uncompressed", message: null },
	validation: { status: "NotValidated", message: null, steps: [] },
};

/** The view of an entry of the trash. `path` is where it lies now. */
export const trashedView = (
	entry: TrashEntry & { readonly manifest: Manifest },
	repository: string,
	path: string,
): TrashedView => {
	const { manifest, sweep, deleted, backup } = entry;
	const others = sweep.filter((id) => id !== backup).map(shortId);
	const together = others.length === 0 ? "" : ` together with ${others.join(", ")}`;
	const who = deleted === undefined ? "" : ` by ${deleted.by} at ${deleted.at}`;
	const view = backupView({ manifest, marks: NO_MARKS, path }, repository);
	return {
		...view,
		path,
		status: "Expunged",
		reason: `deleted${who}; in the trash: \`knib backup undelete ${shortId(backup)}\` brings it back${together}`,
		trash: { deletedAt: deleted?.at ?? null, by: deleted?.by ?? null, together: sweep },
	};
};
