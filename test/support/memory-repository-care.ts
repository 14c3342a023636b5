// The in-memory repository's care for backups after their publication: layers replaced, the trash.
import {
	KnibError,
	type Layer,
	type PublishedBackup,
	type Repository,
	type SweepRecord,
	type TrashEntry,
} from "@knib/core";
import { compressedName } from "../../apps/host-daemon/src/repository/compressed-files.ts";
import type { Layout } from "../../apps/host-daemon/src/repository/layout.ts";
import { chainProblems } from "../../apps/host-daemon/src/repository/manifest-problems.ts";
import { trashName } from "../../apps/host-daemon/src/repository/trash.ts";
import type { MemoryStorage, SimulatedFiles } from "./memory-repository.ts";

/** A deleted backup in memory. */
export type TrashedBackup = PublishedBackup & { readonly sweep: readonly string[] };

type Care = Pick<
	Repository,
	| "compressedPath"
	| "discardCompressed"
	| "switchLayers"
	| "switching"
	| "settleSwitch"
	| "recordSweep"
	| "trash"
	| "undelete"
	| "purge"
>;

type Source = {
	readonly storage: MemoryStorage;
	readonly layout: Layout;
	readonly files?: SimulatedFiles | undefined;
};

const replaceLayer = ({ files }: Source, from: string, to: string, layer: Layer): void => {
	const found = files?.layer(from);
	if (files !== undefined && found?.headerDigest !== layer.headerDigest) {
		throw new KnibError("VERIFY_FAILED", `${from} is not the file that was proven`);
	}
	files?.renamed?.(from, to);
};

/** Moves a published backup into the trash; the caller has seen to it that nothing stands on it. */
export const trashBackup = (source: Source, now: string, path: string): string => {
	const { storage, layout, files } = source;
	const found = storage.published.get(path);
	if (found === undefined) throw new KnibError("REPOSITORY_INVALID", `${path} is missing`);
	const { id } = found.manifest.identity;
	const name = trashName(now, id);
	const to = `${layout.trash}/${name}`;
	storage.published.delete(path);
	storage.trash.set(name, { ...found, path: to, sweep: storage.sweeps.get(path)?.sweep ?? [id] });
	files?.renamed?.(path, to);
	return to;
};

/** Those methods of the port. A switch of layers happens at once, so none is ever under way. */
export const memoryCare = (source: Source): Care => {
	const { storage, layout, files } = source;
	const compressedPath = (backup: PublishedBackup, target: string): string =>
		`${layout.backup(backup.manifest.identity)}/${compressedName(target)}`;
	return {
		compressedPath,
		discardCompressed: async (backup) => {
			for (const { target } of backup.manifest.generation.layers) {
				files?.removed?.(compressedPath(backup, target));
			}
		},
		switchLayers: async (backup, next, { parent }) => {
			const path = layout.backup(backup.manifest.identity);
			const found = storage.published.get(path);
			if (found === undefined) throw new KnibError("VERIFY_FAILED", `${path} is missing`);
			for (const layer of next.layers) {
				const before = found.manifest.generation.layers.find((one) => one.target === layer.target);
				if (before?.sha256 === layer.sha256) continue;
				replaceLayer(source, compressedPath(backup, layer.target), `${path}/${layer.file}`, layer);
			}
			found.manifest = {
				...found.manifest,
				generation: next,
				parent: parent ?? found.manifest.parent,
			};
			return { ...found, path };
		},
		switching: async () => false,
		settleSwitch: async () => "none",
		recordSweep: async (backup, record: SweepRecord) => {
			storage.sweeps.set(layout.backup(backup.manifest.identity), record);
		},
		trash: async () =>
			[...storage.trash]
				.sort(([a], [b]) => (a < b ? -1 : 1))
				.map(([name, { manifest, sweep }]): TrashEntry => {
					return { name, kind: "backup", backup: manifest.identity.id, manifest, sweep };
				}),
		undelete: async ({ name }) => {
			const found = storage.trash.get(name);
			if (found === undefined) throw new KnibError("NOT_FOUND", `${name} is not in the trash`);
			const { manifest, marks } = found;
			const path = layout.backup(manifest.identity);
			const directory = `${layout.chain(manifest.identity.vm, manifest.identity.chain)}/`;
			const members = [...storage.published]
				.filter(([at]) => at.startsWith(directory))
				.map(([, one]) => one.manifest)
				.sort((a, b) => a.identity.sequence - b.identity.sequence);
			if (chainProblems([...members, manifest]).length > 0) {
				throw new KnibError(
					"REFUSED",
					`backup ${manifest.identity.id} does not continue its chain`,
				);
			}
			storage.trash.delete(name);
			storage.published.set(path, { manifest, marks });
			files?.renamed?.(found.path, path);
			return { manifest, marks, path };
		},
		purge: async (name) => {
			if (storage.trash.delete(name)) files?.removed?.(`${layout.trash}/${name}`);
		},
	};
};
