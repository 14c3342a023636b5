// `files list`: the file systems of a disk, or the files of a directory in one of them.
import {
	absolutePath,
	type BackupView,
	type FileEntry,
	type FileSystemView,
	type FilesListInput,
	type FilesView,
	guestPath,
	KnibError,
	shownName,
} from "@knib/core";
import { safe } from "@knib/core/text";
import type { GuestDisk } from "./guest-disk.ts";
import type { OpenDisk } from "./open-disk.ts";

/** Files of one directory that are listed; of more the first by name. */
const MOST_FILES = 10_000;

type Wanted = Pick<FilesListInput, "disk" | "partition">;

const holders = async (
	disk: GuestDisk,
	readable: readonly FileSystemView[],
	path: string,
): Promise<readonly string[]> => {
	const found: string[] = [];
	for (const { partition } of readable) {
		if ((await disk.stat(partition, path)) !== undefined) found.push(partition);
	}
	return found;
};

/** The file system that is meant: the one named, the only one, or the only one that holds the path. Null when several could be and no path was given. Rejects with NOT_FOUND, USAGE, FILE_SYSTEM_UNREADABLE. */
export const choosePartition = async (
	disk: GuestDisk,
	wanted: Wanted,
	path: string | null,
): Promise<string | null> => {
	const all = await disk.fileSystems();
	if (wanted.partition !== undefined) return wanted.partition;
	const readable = all.filter((one) => one.readable);
	const [first, ...others] = readable;
	if (first === undefined) {
		const what =
			all.length === 0
				? "no file system is known on it"
				: `it holds only ${all.map((one) => `${one.type} on ${one.partition}`).join(", ")}`;
		throw new KnibError(
			"FILE_SYSTEM_UNREADABLE",
			`disk ${wanted.disk} has no files to read: ${what}`,
		);
	}
	if (others.length === 0) return first.partition;
	if (path === null) return null;
	const found = await holders(disk, readable, path);
	if (found.length === 1) return found[0] ?? null;
	const names = (found.length === 0 ? readable.map((one) => one.partition) : found).join(", ");
	if (found.length > 1) {
		throw new KnibError("USAGE", `${shownName(path)} is on several partitions: ${names}`, {
			details: { hint: "say which with --partition" },
		});
	}
	throw new KnibError("NOT_FOUND", `${shownName(path)} is on none of the partitions ${names}`);
};

/** The target of a link, for people: the file system is hostile, and what is no text is shown as it came. */
const targetOf = async (
	disk: GuestDisk,
	partition: string,
	path: string,
	type: string,
): Promise<string | null> => {
	if (type !== "symlink") return null;
	const target = await disk.target(partition, path);
	return target === null ? null : safe(target);
};

/** The files at a path: those of a directory, or the file itself. Rejects with NOT_FOUND. */
export const filesAt = async (
	disk: GuestDisk,
	partition: string,
	path: string,
): Promise<Pick<FilesView, "files" | "total" | "truncated">> => {
	const own = await disk.stat(partition, path);
	if (own === undefined) {
		throw new KnibError("NOT_FOUND", `there is no ${shownName(path)} on partition ${partition}`);
	}
	const entry = async (raw: string, at: string, stat: typeof own): Promise<FileEntry> => ({
		name: shownName(raw),
		path: shownName(at),
		...stat,
		target: await targetOf(disk, partition, at, stat.type),
	});
	if (own.type !== "directory") {
		const name = path.slice(path.lastIndexOf("/") + 1);
		return { files: [await entry(name, path, own)], total: 1, truncated: false };
	}
	const { files, total } = await disk.list(partition, path, MOST_FILES);
	const below = path === "/" ? "/" : `${path}/`;
	const entries: FileEntry[] = [];
	for (const { raw, stat } of files) entries.push(await entry(raw, `${below}${raw}`, stat));
	return { files: entries, total, truncated: entries.length < total };
};

/** What `files list` prints of an open disk. Rejects with NOT_FOUND, USAGE, REFUSED, FILE_SYSTEM_UNREADABLE. */
export const listFiles = async (
	{ disk, pointInTime }: OpenDisk,
	view: Pick<BackupView, "id" | "vm">,
	input: FilesListInput,
): Promise<FilesView> => {
	const path = input.path === undefined ? null : absolutePath(guestPath(input.path));
	const partition = await choosePartition(disk, input, path);
	const at = path ?? "/";
	const found =
		partition === null
			? { files: [], total: 0, truncated: false }
			: await filesAt(disk, partition, at);
	return {
		backup: view.id,
		vm: view.vm,
		pointInTime,
		disk: input.disk,
		fileSystems: await disk.fileSystems(),
		partition,
		path: shownName(at),
		...found,
	};
};
