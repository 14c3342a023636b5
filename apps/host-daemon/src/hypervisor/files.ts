// Small file operations that say what they attempted, overwrite nothing, and are durable when they return.
import { constants } from "node:fs";
import { access, link, lstat, open, rename, stat, statfs, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { KnibError } from "@knib/core";

/** The errno name of a node error. */
export const errnoOf = (thrown: unknown): string | undefined =>
	thrown instanceof Error && "code" in thrown && typeof thrown.code === "string"
		? thrown.code
		: undefined;

const CODES = new Map([
	["ENOENT", "NOT_FOUND"],
	["EEXIST", "EXISTS"],
	["ENOSPC", "STORAGE_NO_SPACE"],
] as const);

/** A node error as a KnibError: NOT_FOUND, EXISTS, STORAGE_NO_SPACE or COMMAND_FAILED, with `errno` in its details. */
export const fileError = (what: string, thrown: unknown): KnibError => {
	if (thrown instanceof KnibError) return thrown;
	const errno = errnoOf(thrown);
	const reason = thrown instanceof Error ? thrown.message : String(thrown);
	const code = [...CODES].find(([name]) => name === errno)?.[1] ?? "COMMAND_FAILED";
	return new KnibError(code, `${what}: ${reason}`, {
		details: { errno: errno ?? null },
		cause: thrown,
	});
};

/** Runs a piece of file work; what it throws says what was attempted. */
export const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
	try {
		return await work();
	} catch (thrown) {
		throw fileError(what, thrown);
	}
};

const syncOne = async (path: string): Promise<void> => {
	const handle = await open(path, constants.O_RDONLY);
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

/** fsync of a file or directory and of the directory it lies in. */
export const syncFile = (path: string): Promise<void> =>
	attempt(`could not sync ${path}`, async () => {
		await syncOne(path);
		await syncOne(dirname(path));
	});

/** Whether something has this name; a symbolic link counts even when it leads nowhere. */
export const fileExists = async (path: string): Promise<boolean> => {
	try {
		await lstat(path);
		return true;
	} catch (thrown) {
		const errno = errnoOf(thrown);
		if (errno === "ENOENT" || errno === "ENOTDIR") return false;
		throw fileError(`could not look at ${path}`, thrown);
	}
};

/** File systems without hard links answer with one of these. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

const renameChecked = async (from: string, to: string): Promise<void> => {
	if (await fileExists(to)) throw new KnibError("EXISTS", `${to} exists already`);
	await rename(from, to);
};

const sameFile = async (a: string, b: string): Promise<boolean> => {
	const [one, other] = await Promise.all([lstat(a, { bigint: true }), lstat(b, { bigint: true })]);
	return one.ino === other.ino && one.dev === other.dev;
};

/** Gives a file another name and never overwrites: by a second link and the removal of the first name; repeatable after a crash between the two. Rejects with EXISTS. */
export const renameFile = (from: string, to: string): Promise<void> =>
	attempt(`could not rename ${from} to ${to}`, async () => {
		const isDirectory = (await lstat(from)).isDirectory();
		try {
			if (isDirectory) await renameChecked(from, to);
			else {
				await link(from, to);
				await unlink(from);
			}
		} catch (thrown) {
			const errno = errnoOf(thrown);
			if (errno === "EEXIST" && (await sameFile(from, to))) await unlink(from);
			else if (NO_LINKS.includes(errno ?? "")) await renameChecked(from, to);
			else throw thrown;
		}
		await syncOne(dirname(to));
		if (dirname(from) !== dirname(to)) await syncOne(dirname(from));
	});

/** Removes a file's name; one that is not there is no error. */
export const unlinkFile = async (path: string): Promise<void> => {
	try {
		await unlink(path);
	} catch (thrown) {
		if (errnoOf(thrown) !== "ENOENT") throw fileError(`could not remove ${path}`, thrown);
	}
};

const isWritable = async (directory: string): Promise<boolean> => {
	try {
		await access(directory, constants.W_OK);
		return true;
	} catch (thrown) {
		if (["EACCES", "EROFS", "EPERM"].includes(errnoOf(thrown) ?? "")) return false;
		throw thrown;
	}
};

/** Bytes free for a new file in a directory, its file system's size, and whether it can be written. */
export const spaceIn = (
	directory: string,
): Promise<{ free: number; capacity: number; writable: boolean }> =>
	attempt(`could not ask for the space in ${directory}`, async () => {
		const { bavail, blocks, bsize } = await statfs(directory);
		return {
			free: bavail * bsize,
			capacity: blocks * bsize,
			writable: await isWritable(directory),
		};
	});

/** Name of a file that is not complete yet, beside the one that it becomes. A killed process leaves it behind; nobody stands on it. */
export const partName = (path: string): string => `${path}.part`;

/** Whether a name is that of an incomplete file of knib's. */
export const isPartName = (path: string): boolean => /\.knib-[^/]*\.part$/.test(path);

/** The first bytes of a file, fewer when it is shorter. */
export const readHead = async (path: string, length: number): Promise<Buffer> => {
	const handle = await open(path, constants.O_RDONLY);
	try {
		const buffer = Buffer.alloc(length);
		let filled = 0;
		while (filled < length) {
			const { bytesRead } = await handle.read(buffer, filled, length - filled, filled);
			if (bytesRead === 0) break;
			filled += bytesRead;
		}
		return buffer.subarray(0, filled);
	} finally {
		await handle.close();
	}
};

/** Runs `work` over all items, at most `limit` at once, results in the items' order. */
export const mapLimited = async <T, R>(
	items: readonly T[],
	limit: number,
	work: (item: T) => Promise<R>,
): Promise<readonly R[]> => {
	const results = new Map<number, R>();
	const waiting = items.entries();
	const worker = async (): Promise<void> => {
		for (const [index, item] of waiting) results.set(index, await work(item));
	};
	await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
	return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
};

/** Device and inode of a file, or number of a block device, symbolic links followed; null when there is none. */
export const identityOf = async (path: string): Promise<string | null> => {
	try {
		const found = await stat(path, { bigint: true });
		return found.isBlockDevice() ? `device ${found.rdev}` : `file ${found.dev}:${found.ino}`;
	} catch (thrown) {
		if (["ENOENT", "ENOTDIR"].includes(errnoOf(thrown) ?? "")) return null;
		throw thrown;
	}
};
