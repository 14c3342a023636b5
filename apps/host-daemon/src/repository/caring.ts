// What a repository does with a backup after its publication: layers replaced, deleted backups kept for a while, brought back, ended.
import type { Repository } from "@knib/core";
import { compressedName, discardCompressed } from "./compressed-files.ts";
import type { ChainSource } from "./read-chain.ts";
import { SWITCH_FILE } from "./switch-file.ts";
import { settleSwitch, switchLayers } from "./switch-layers.ts";
import { endPurges, listTrash, purge, recordSweep, undelete } from "./trash-entries.ts";

type Caring = Pick<
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

/** Those acts of the port; `here` rejects unless the directory still is this repository. */
export const caring = (source: ChainSource & { readonly here: () => Promise<void> }): Caring => {
	const { files, layout, here } = source;
	return {
		compressedPath: (backup, target) =>
			`${layout.backup(backup.manifest.identity)}/${compressedName(target)}`,
		discardCompressed: async (backup) => {
			await here();
			await discardCompressed(files, { path: layout.backup(backup.manifest.identity) });
		},
		switchLayers: async (backup, next, by) => {
			await here();
			return await switchLayers(source, backup, next, by);
		},
		switching: async (backup) => {
			await here();
			const directory = layout.backup(backup.manifest.identity);
			return (await files.look(`${directory}/${SWITCH_FILE}`)) !== undefined;
		},
		settleSwitch: async (backup) => {
			await here();
			return await settleSwitch(source, backup);
		},
		recordSweep: async (backup, record) => {
			await here();
			await recordSweep(source, backup, record);
		},
		trash: async () => {
			await here();
			return await listTrash(source);
		},
		undelete: async (entry) => {
			await here();
			return await undelete(source, entry);
		},
		purge: async (name) => {
			await here();
			await endPurges(source);
			await purge(source, name);
		},
	};
};
