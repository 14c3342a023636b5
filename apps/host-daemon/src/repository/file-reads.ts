import { constants, type Dirent, type Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { KnibError } from "@knib/core";
import { attempt, type FileScope, unlessErrno } from "./file-guard.ts";
import { SMALL_FILE_LIMIT } from "./layout.ts";

/** First bytes of a regular file, with its facts. */
export type FileStart = { readonly bytes: Uint8Array; readonly stats: Stats };

/** How a file is opened for reading: a symbolic link is refused, a fifo does not block. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const readUpTo = async (handle: FileHandle, limit: number): Promise<Buffer> => {
	const buffer = Buffer.alloc(limit);
	let length = 0;
	while (length < limit) {
		const { bytesRead } = await handle.read(buffer, length, limit - length, length);
		if (bytesRead === 0) break;
		length += bytesRead;
	}
	return buffer.subarray(0, length);
};

const readStart = async (path: string, length: number): Promise<FileStart | undefined> => {
	const handle = await open(path, READ_FLAGS).catch((thrown: unknown) =>
		unlessErrno(thrown, "ENOENT"),
	);
	if (handle === undefined) return undefined;
	try {
		const stats = await handle.stat();
		if (!stats.isFile()) {
			throw new KnibError("REPOSITORY_INVALID", `${path} is not a regular file`);
		}
		return { bytes: await readUpTo(handle, Math.min(length, stats.size)), stats };
	} finally {
		await handle.close();
	}
};

const readText = async (path: string): Promise<string | undefined> => {
	const start = await readStart(path, SMALL_FILE_LIMIT + 1);
	if (start === undefined) return undefined;
	if (start.bytes.length <= SMALL_FILE_LIMIT) return Buffer.from(start.bytes).toString("utf8");
	throw new KnibError(
		"REPOSITORY_INVALID",
		`${path} is larger than the ${SMALL_FILE_LIMIT} bytes that such a file may have`,
	);
};

/** Reads inside a repository. They reject with REPOSITORY_INVALID and REPOSITORY_UNREACHABLE; what is not there is undefined. */
export const createFileReads = (scope: FileScope) => ({
	/** Entries of a directory. */
	list: (path: string): Promise<readonly Dirent[] | undefined> =>
		attempt(scope, { access: "read", attempted: `list ${path}`, path: `${path}/entry` }, () =>
			readdir(path, { withFileTypes: true }).catch((thrown: unknown) =>
				unlessErrno(thrown, "ENOENT"),
			),
		),
	/** What lies at a path itself; a symbolic link is not followed. */
	look: (path: string): Promise<Stats | undefined> =>
		attempt(scope, { access: "read", attempted: `look at ${path}`, path }, () =>
			lstat(path).catch((thrown: unknown) => unlessErrno(thrown, "ENOENT")),
		),
	/** Text of a small regular file; anything else, or more than SMALL_FILE_LIMIT, is refused. */
	readText: (path: string): Promise<string | undefined> =>
		attempt(scope, { access: "read", attempted: `read ${path}`, path }, () => readText(path)),
	/** First bytes of a regular file, at most `length`. */
	readStart: (path: string, length: number): Promise<FileStart | undefined> =>
		attempt(scope, { access: "read", attempted: `read ${path}`, path }, () =>
			readStart(path, length),
		),
});
export type FileReads = ReturnType<typeof createFileReads>;
