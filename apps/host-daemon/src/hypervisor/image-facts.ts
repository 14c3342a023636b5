// The identity of a file at one moment (SAFETY F15), and its digest.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readFile, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type DiskImages, type FileFacts, KnibError } from "@knib/core";
import { attempt, readHead } from "./files.ts";
import { absolutePath } from "./image-path.ts";
import { HEADER_BYTES } from "./qcow2-header.ts";
import { type Run, textOf } from "./run-command.ts";

const sha256 = (bytes: string | Uint8Array): string =>
	createHash("sha256").update(bytes).digest("hex");

const READ_BYTES = 4 * 1024 * 1024;

/** One line of `filefrag -v`: logical start and end, physical start and end, length, flags. */
const EXTENT = /^\s*\d+:\s+(\d+)\.\.\s*(\d+):\s+(\d+)\.\.\s*(\d+):\s+(\d+):(.*)$/;

/** Digest of a file's physical extents in `filefrag -v -e`'s answer; `unsettled` when some have no place on the disk yet. Pure. */
export const digestExtents = (text: string): { digest: string; unsettled: boolean } => {
	const hash = createHash("sha256");
	let unsettled = false;
	for (const line of text.split("\n")) {
		const match = EXTENT.exec(line);
		if (match === null) continue;
		if (/delalloc|unknown/.test(match[6] ?? "")) unsettled = true;
		hash.update(`${match.slice(1, 6).join(" ")}\n`);
	}
	return { digest: hash.digest("hex"), unsettled };
};

const syncContents = async (path: string): Promise<void> => {
	const handle = await open(path, constants.O_RDONLY);
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

/** Undefined where the file system does not tell extents (tmpfs, NFS) or filefrag is not installed. */
const extentsOf = async (run: Run, path: string): Promise<string | undefined> => {
	const ask = async () => digestExtents(textOf(await run(["filefrag", "-v", "-e", path])));
	try {
		const first = await ask();
		if (!first.unsettled) return first.digest;
		await syncContents(path);
		return (await ask()).digest;
	} catch (thrown) {
		if (thrown instanceof KnibError && thrown.code === "COMMAND_FAILED") return undefined;
		throw thrown;
	}
};

/** f_fsid, which is the same after a reboot or a remount; st_dev is not, and Node does not show it. */
const fileSystemOf = async (run: Run, path: string): Promise<string> => {
	const id = textOf(await run(["stat", "-f", "-c", "%i", "--", path])).trim();
	if (!/^[0-9a-f]+$/.test(id)) {
		throw new KnibError("COMMAND_FAILED", `stat told no file-system id of ${path}`);
	}
	return id;
};

/** Names of a block device that survive a reboot, best first, below /sys/dev/block/<major>:<minor>/. */
const DEVICE_IDS = [
	"dm/uuid",
	"wwid",
	"device/wwid",
	"serial",
	"device/serial",
	"loop/backing_file",
];

const deviceId = async (path: string, rdev: bigint): Promise<string> => {
	const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
	const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
	for (const name of DEVICE_IDS) {
		const text = await readFile(`/sys/dev/block/${major}:${minor}/${name}`, "utf8").catch(() => "");
		if (text.trim() !== "") return `${name}:${text.trim()}`;
	}
	return `name:${basename(await realpath(path))}`;
};

const deviceFacts = async (
	run: Run,
	path: string,
	rdev: bigint,
): Promise<Pick<FileFacts, "kind" | "inode" | "fileSystem" | "size" | "mtime" | "ctime">> => {
	const size = Number(textOf(await run(["blockdev", "--getsize64", path])).trim());
	if (!Number.isSafeInteger(size) || size <= 0) {
		throw new KnibError("COMMAND_FAILED", `blockdev told no size of ${path}`);
	}
	// The times of a device node say nothing of its contents.
	const fileSystem = await deviceId(path, rdev);
	return { kind: "block", inode: "0", fileSystem, size, mtime: "0", ctime: "0" };
};

/** Reads the facts of an image file or block device; a symbolic link is followed. Rejects with NOT_FOUND, DISK_UNSUPPORTED (neither of the two), COMMAND_FAILED. */
export const readFacts = async (run: Run, path: string): Promise<FileFacts> => {
	absolutePath(path);
	const [found, head] = await attempt(`could not read ${path}`, () =>
		Promise.all([stat(path, { bigint: true }), readHead(path, HEADER_BYTES)]),
	);
	const common = {
		path,
		uid: Number(found.uid),
		gid: Number(found.gid),
		mode: Number(found.mode & 0o7777n),
		headerDigest: sha256(head),
	};
	if (found.isBlockDevice()) return { ...common, ...(await deviceFacts(run, path, found.rdev)) };
	if (!found.isFile()) {
		throw new KnibError("DISK_UNSUPPORTED", `${path} is neither a file nor a block device`);
	}
	const extents = await extentsOf(run, path);
	return {
		...common,
		kind: "file",
		inode: String(found.ino),
		fileSystem: await fileSystemOf(run, path),
		size: Number(found.size),
		mtime: String(found.mtimeNs),
		ctime: String(found.ctimeNs),
		...(extents === undefined ? {} : { extentsDigest: extents }),
	};
};

/** Waits until so many bytes may have been read at a rate; 0 = no limit. An aborted wait ends early: the reader looks at the signal. */
const pace = (rate: number, signal: AbortSignal | undefined) => {
	const started = performance.now();
	return async (done: number): Promise<void> => {
		if (rate <= 0) return;
		const ahead = (done / rate) * 1000 - (performance.now() - started);
		if (ahead <= 0) return;
		await sleep(ahead, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
	};
};

type HashOptions = NonNullable<Parameters<DiskImages["hash"]>[1]>;

const assertWanted = (signal: AbortSignal | undefined, path: string): void => {
	if (signal?.aborted === true) throw new KnibError("CANCELLED", `hashing ${path} was cancelled`);
};

/** Reads an open file from its beginning to its end. */
const digestOf = async (file: FileHandle, path: string, size: number, options: HashOptions) => {
	const hash = createHash("sha256");
	const buffer = Buffer.alloc(READ_BYTES);
	const keepRate = pace(options.rate ?? 0, options.signal);
	let headerDigest = sha256("");
	let done = 0;
	for (;;) {
		assertWanted(options.signal, path);
		const { bytesRead } = await file.read(buffer, 0, READ_BYTES, done);
		if (bytesRead === 0) break;
		const chunk = buffer.subarray(0, bytesRead);
		if (done === 0) headerDigest = sha256(chunk.subarray(0, HEADER_BYTES));
		hash.update(chunk);
		done += bytesRead;
		await keepRate(done);
		options.onProgress?.(size === 0 ? 1 : Math.min(1, done / size));
	}
	return { sha256: hash.digest("hex"), size: done, headerDigest };
};

/** SHA-256 of a whole file and of its header, its apparent and its allocated size. Rejects with CANCELLED, NOT_FOUND, COMMAND_FAILED. */
export const hashFile: DiskImages["hash"] = (path, options = {}) =>
	attempt(`could not read ${path}`, async () => {
		const handle = await open(absolutePath(path), constants.O_RDONLY);
		try {
			const { size, blocks } = await handle.stat();
			return { ...(await digestOf(handle, path, size, options)), allocated: blocks * 512 };
		} finally {
			await handle.close();
		}
	});
