// Changes inside a repository. Each is durable when its promise resolves, except `move`, whose caller syncs both directories.
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, rename, rm, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { KnibError } from "@knib/core";
import { errnoOf } from "./errno.ts";
import { attempt, type FileScope, guardPath, unlessErrno } from "./file-guard.ts";
import { READ_FLAGS } from "./file-reads.ts";
import { SMALL_FILE_LIMIT } from "./layout.ts";

/** The most that `writeLarge` takes, bytes: a screenshot fits. */
export const LARGE_FILE_LIMIT = 32 * 1024 * 1024;

/** Modes of what qemu's group or people may read, of directories, and of files with secrets (SAFETY F11, F20). */
export const MODES = { file: 0o640, directory: 0o750, secret: 0o600, secretDirectory: 0o700 };

const NEW_FLAGS = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_WRONLY;

/** Errnos of file systems that have no owners, no modes, no directory sync or no hard links. */
const UNSUPPORTED = ["EPERM", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];
const unlessUnsupported = (thrown: unknown): undefined => unlessErrno(thrown, ...UNSUPPORTED);

const isSupported = (thrown: unknown): boolean => !UNSUPPORTED.includes(errnoOf(thrown) ?? "");

const change = async <T>(
	scope: FileScope,
	operation: string,
	path: string,
	run: () => Promise<T>,
): Promise<T> => {
	scope.hook?.(operation, path);
	return await run();
};

/** Sets mode and group as far as the file system has them; who reads the file later proves that it can. */
const own = async (scope: FileScope, handle: FileHandle, mode: number): Promise<void> => {
	const stats = await handle.stat();
	if (scope.group !== undefined && stats.gid !== scope.group) {
		await handle.chown(stats.uid, scope.group).catch(unlessUnsupported);
	}
	if ((stats.mode & 0o7777) !== mode) await handle.chmod(mode).catch(unlessUnsupported);
};

const withHandle = async (
	path: string,
	flags: number,
	use: (handle: FileHandle) => Promise<void>,
): Promise<void> => {
	const handle = await open(path, flags, MODES.file);
	try {
		await use(handle);
	} finally {
		await handle.close();
	}
};

const syncDirectory = (scope: FileScope, path: string): Promise<void> =>
	change(scope, "fsync", path, () =>
		withHandle(path, READ_FLAGS, (handle) => handle.sync().catch(unlessUnsupported)),
	);

const writeNew = (scope: FileScope, path: string, contents: string | Uint8Array): Promise<void> =>
	change(scope, "write", path, () =>
		withHandle(path, NEW_FLAGS, async (handle) => {
			await handle.writeFile(contents);
			await own(scope, handle, MODES.file);
			await handle.sync();
		}),
	);

/** True when the file was made, false when it was there. */
const unlessThere = (made: Promise<void>): Promise<boolean> =>
	made.then(
		() => true,
		(thrown: unknown) => unlessErrno(thrown, "EEXIST") ?? false,
	);

const isTemporary = /^\..+\.[0-9a-f]{12}\.tmp$/;

/** Whether a name is that of a file which `writeText` had not finished when its process died. */
export const isTemporaryName = (name: string): boolean => isTemporary.test(name);

/** Writes `text` under a temporary name beside `path`, gives that to `use`, and sees that it goes. */
const withTemporary = async <T>(
	scope: FileScope,
	path: string,
	contents: string | Uint8Array,
	use: (temporary: string) => Promise<T>,
): Promise<T> => {
	const limit = typeof contents === "string" ? SMALL_FILE_LIMIT : LARGE_FILE_LIMIT;
	if (Buffer.byteLength(contents) > limit) {
		throw new KnibError("INTERNAL", `${path} would be larger than ${limit} bytes`);
	}
	const name = `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`;
	const temporary = `${dirname(path)}/${name}`;
	try {
		await writeNew(scope, temporary, contents);
		return await use(temporary);
	} finally {
		await unlink(temporary).catch(() => undefined);
	}
};

const isSameFile = async (a: string, b: string): Promise<boolean> => {
	const [one, other] = await Promise.all([lstat(a), lstat(b)]);
	return one.ino === other.ino && one.dev === other.dev;
};

const linkNew = async (scope: FileScope, path: string, text: string): Promise<boolean> => {
	const made = await withTemporary(scope, path, text, async (temporary) => {
		try {
			await change(scope, "link", path, () => link(temporary, path));
			return true;
		} catch (thrown) {
			if (!isSupported(thrown)) return unlessThere(writeNew(scope, path, text));
			// Over a network a lost answer makes the client ask again, and fail, although the link is there.
			if (await isSameFile(temporary, path).catch(() => false)) return true;
			return unlessErrno(thrown, "EEXIST") ?? false;
		}
	});
	if (made) await syncDirectory(scope, dirname(path));
	return made;
};

const makeDirectory = async (scope: FileScope, path: string, mode: number): Promise<void> => {
	const made = await unlessThere(change(scope, "mkdir", path, () => mkdir(path, mode)));
	// Also proves that what is there is a directory and no link.
	await withHandle(path, READ_FLAGS | constants.O_DIRECTORY, async (handle) => {
		if (made) await own(scope, handle, mode);
	});
	if (made) await syncDirectory(scope, dirname(path));
};

/** Changes inside a repository; they reject with REPOSITORY_READ_ONLY and REPOSITORY_NO_SPACE besides what reads reject with. */
export const createFileWrites = (scope: FileScope) => {
	const writing = <T>(attempted: string, path: string, run: () => Promise<T>): Promise<T> =>
		attempt(scope, { access: "write", attempted: `${attempted} ${path}`, path }, run);
	return {
		/** Writes a small file in one act: whoever reads sees the old text or the new. */
		writeText: (path: string, text: string): Promise<void> =>
			writing("write", path, async () => {
				await withTemporary(scope, path, text, (temporary) =>
					change(scope, "rename", path, () => rename(temporary, path)),
				);
				await syncDirectory(scope, dirname(path));
			}),
		/** Writes a file of at most LARGE_FILE_LIMIT bytes in one act. */
		writeLarge: (path: string, contents: Uint8Array): Promise<void> =>
			writing("write", path, async () => {
				await withTemporary(scope, path, contents, (temporary) =>
					change(scope, "rename", path, () => rename(temporary, path)),
				);
				await syncDirectory(scope, dirname(path));
			}),
		/** Makes a small file; false when one is there or somebody else made it first. link(2) decides, and O_EXCL where the file system has no links. */
		createText: (path: string, text: string): Promise<boolean> =>
			writing("write", path, () => linkNew(scope, path, text)),
		/** Makes one directory in an existing one, if it is not there. */
		makeDirectory: (path: string): Promise<void> =>
			writing("make the directory", path, () => makeDirectory(scope, path, MODES.directory)),
		/** Sets mode and group of a file or directory and makes its contents durable. */
		settle: (path: string, mode: number): Promise<void> =>
			writing("sync", path, () =>
				change(scope, "fsync", path, () =>
					withHandle(path, READ_FLAGS, async (handle) => {
						await own(scope, handle, mode);
						await handle.sync();
					}),
				),
			),
		syncDirectory: (path: string): Promise<void> =>
			writing("sync", path, () => syncDirectory(scope, path)),
		/** rename(2) alone. Rejects with the system's own error, for callers that judge by errno. */
		move: async (from: string, to: string): Promise<void> => {
			await guardPath(scope.root, from);
			await guardPath(scope.root, to);
			await change(scope, "rename", to, () => rename(from, to));
		},
		/** link(2) alone: a second name of a file. Rejects with the system's own error. */
		linkFile: async (from: string, to: string): Promise<void> => {
			await guardPath(scope.root, from);
			await guardPath(scope.root, to);
			await change(scope, "link", to, () => link(from, to));
		},
		/** Removes a file; nothing there is success. */
		remove: (path: string): Promise<void> =>
			writing("remove", path, () =>
				change(scope, "unlink", path, () => unlink(path)).catch((thrown: unknown) =>
					unlessErrno(thrown, "ENOENT"),
				),
			),
		/** Removes a directory with everything in it, links as links; nothing there is success. */
		removeTree: (path: string): Promise<void> =>
			writing("remove", path, async () => {
				if (path === scope.root) throw new KnibError("INTERNAL", "a repository is not removed");
				await change(scope, "remove", path, () => rm(path, { recursive: true, force: true }));
				await syncDirectory(scope, dirname(path));
			}),
	};
};
export type FileWrites = ReturnType<typeof createFileWrites>;
