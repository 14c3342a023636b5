// The files into which layers are compressed, beside them in a published backup's directory. Their names begin with a dot, so that
// scans pass them over, and end in `.qcow2`, so that qemu may open them under every security driver (SAFETY F11).
import type { PublishedBackup } from "@knib/core";
import type { RepositoryFiles } from "./files.ts";

const PREFIX = ".knib-compressed-";

/** Whether a name is that of a compressed file, whole or not. */
const isCompressedName = (name: string): boolean => name.startsWith(PREFIX);

/** Name of the compressed file of a disk's layer. */
export const compressedName = (target: string): string => `${PREFIX}${target}.qcow2`;

/** Removes all compressed files of a backup, with what an interrupted run left of one. Repeatable; a directory that is gone has none. */
export const discardCompressed = async (
	files: RepositoryFiles,
	backup: Pick<PublishedBackup, "path">,
): Promise<void> => {
	const entries = (await files.list(backup.path)) ?? [];
	for (const { name } of entries) {
		if (isCompressedName(name)) await files.remove(`${backup.path}/${name}`);
	}
};
