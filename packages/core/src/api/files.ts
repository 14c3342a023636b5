// Files of backups: what `files list` and `files log` take and print. Names and paths are in the form of `shownName`: printable
// text, every other byte as `\xHH`, a backslash as `\\`; the same form is taken as an argument.
import { z } from "zod";
import { targetSchema } from "../domain/ids.ts";

const argument = z.string().min(1).max(500);

/** `1` is the first partition, `whole` the disk itself, `vg/lv` a logical volume. */
export const partitionSchema = z
	.string()
	.regex(/^[A-Za-z0-9][A-Za-z0-9+_.-]*(\/[A-Za-z0-9+_.][A-Za-z0-9+_.-]*)?$/, "not a partition")
	.max(300);

export const guestPathSchema = z.string().min(1).max(6000);

export const filesListInputSchema = z.strictObject({
	/** Whole id, a unique part of it, or `latest` together with `vm`. */
	backup: argument,
	vm: argument.optional(),
	disk: targetSchema,
	/** Absent: the only file system, or the only one that holds the path. */
	partition: partitionSchema.optional(),
	path: guestPathSchema.optional(),
});
export type FilesListInput = z.infer<typeof filesListInputSchema>;

export const filesLogInputSchema = z.strictObject({
	vm: argument,
	path: guestPathSchema,
	/** Absent: the first disk whose newest readable backup holds the path. */
	disk: targetSchema.optional(),
	partition: partitionSchema.optional(),
});
export type FilesLogInput = z.infer<typeof filesLogInputSchema>;

export type FileType =
	| "file"
	| "directory"
	| "symlink"
	| "block"
	| "character"
	| "fifo"
	| "socket"
	| "unknown";

/** What a file system says of one file. */
export type FileStat = {
	readonly type: FileType;
	/** Bytes. */
	readonly size: number;
	/** Permissions in octal, four digits. */
	readonly mode: string;
	readonly uid: number;
	readonly gid: number;
	/** Null for a time that no calendar has. */
	readonly modifiedAt: string | null;
};

/** One file of a listing. */
export type FileEntry = FileStat & {
	readonly name: string;
	readonly path: string;
	/** What a symbolic link names; null for any other file. */
	readonly target: string | null;
};

/** A file system found on a disk. */
export type FileSystemView = {
	readonly partition: string;
	/** As libguestfs names it: `ext4`, `xfs`, `vfat`, `ntfs`, … */
	readonly type: string;
	readonly label: string | null;
	/** Bytes of the partition or volume. */
	readonly size: number;
	/** Whether files can be read from it; swap, encrypted and unknown ones cannot. */
	readonly readable: boolean;
};

/** What `files list` prints. */
export type FilesView = {
	readonly backup: string;
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly pointInTime: string;
	readonly disk: string;
	readonly fileSystems: readonly FileSystemView[];
	/** The file system that was read; null when there are several and none was named. */
	readonly partition: string | null;
	readonly path: string;
	/** The files of the directory at `path`, by name, or that one file. */
	readonly files: readonly FileEntry[];
	/** How many there are; more than are listed where the list is cut off. */
	readonly total: number;
	readonly truncated: boolean;
};

/** How a file differs from what the backup before held. `absent`: it is not there, and was not; `first`: nothing to compare with. */
export type FileChange = "first" | "same" | "changed" | "appeared" | "gone" | "absent";

/** What `files log` prints: one file over the restore points of a VM, oldest first. */
export type FilesLogView = {
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly disk: string;
	readonly partition: string;
	readonly path: string;
	readonly backups: readonly {
		readonly backup: string;
		readonly pointInTime: string;
		readonly change: FileChange;
		/** Null where the file is not there. */
		readonly file: FileStat | null;
		/** Of a plain file. */
		readonly sha256: string | null;
		/** Of a symbolic link. */
		readonly target: string | null;
	}[];
	/** Backups that were not looked into, and why. */
	readonly skipped: readonly { readonly backup: string; readonly reason: string }[];
};
