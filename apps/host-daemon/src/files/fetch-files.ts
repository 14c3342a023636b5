// Brings files out of an appliance into a directory of this job's own beside their place. The appliance writes plain files with
// numbers for names; they get the guest's names here, each new, in directories that were made here.
import type { Buffer as Bytes } from "node:buffer";
import {
	chmod,
	chown,
	lstat,
	mkdir,
	rename,
	rm,
	stat,
	statfs,
	symlink,
	utimes,
} from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type FileType, KnibError, shownName } from "@knib/core";
import { size as sizeText } from "@knib/core/text";
import { errnoOf } from "../repository/errno.ts";
import type { GuestDisk } from "./guest-disk.ts";
import type { Walk, WalkedFile } from "./walk-files.ts";

export type Fetched = {
	readonly files: number;
	readonly directories: number;
	readonly links: number;
	readonly bytes: number;
	readonly skipped: readonly { readonly path: string; readonly reason: string }[];
};

export type Target = {
	readonly disk: GuestDisk;
	readonly partition: string;
	/** The job's own directory. */
	readonly staging: string;
	/** Whose directory gets the files: they become theirs. */
	readonly owner: { readonly uid: number; readonly gid: number };
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly onBytes: (done: number, total: number) => void;
};

/** Where the guest's names are made below the staging directory, and where the appliance writes. */
export const TREE = "tree";
const DATA = "data";

/** Left free on the target's file system, bytes. */
const RESERVE = 64 * 1024 * 1024;
const BATCH_BYTES = 16 * 1024 * 1024;
const BATCH_FILES = 100;
const SLOWEST_BYTES_PER_MS = 256;
const DEADLINE_MS = 120_000;
const PROGRESS_MS = 500;
/** Set-uid, set-gid and sticky bits are not brought over. */
const PERMISSIONS = 0o777;

const rawPath = (staging: string, to: readonly string[]): Bytes =>
	Buffer.concat([
		Buffer.from(`${join(staging, TREE)}/`, "utf8"),
		Buffer.from(to.join("/"), "latin1"),
	]);

const assertSpace = async (directory: string, bytes: number): Promise<void> => {
	const { bavail, bsize } = await statfs(directory);
	const free = bavail * bsize;
	if (bytes + RESERVE <= free) return;
	throw new KnibError(
		"STORAGE_NO_SPACE",
		`the files take ${sizeText(bytes)} and ${directory} has ${sizeText(free)} free`,
		{ details: { hint: "extract to a directory with more space" } },
	);
};

/** Files in groups that are asked for at once. */
const batches = (files: readonly WalkedFile[]): readonly (readonly WalkedFile[])[] => {
	const all: WalkedFile[][] = [];
	let bytes = Number.POSITIVE_INFINITY;
	for (const file of files) {
		const last = all.at(-1);
		bytes += file.stat.size;
		if (last === undefined || bytes > BATCH_BYTES || last.length >= BATCH_FILES) {
			all.push([file]);
			bytes = file.stat.size;
		} else last.push(file);
	}
	return all;
};

const sizeOf = async (path: string): Promise<number> =>
	(await stat(path).catch(() => undefined))?.size ?? -1;

/** Gives a file its permissions, its owner and its time. */
const finish = async (path: Bytes, file: WalkedFile, owner: Target["owner"]): Promise<void> => {
	if (process.getuid?.() === 0) await chown(path, owner.uid, owner.gid);
	await chmod(path, Number.parseInt(file.stat.mode, 8) & PERMISSIONS);
	const at = file.stat.modifiedAt;
	if (at !== null) await utimes(path, new Date(at), new Date(at));
};

type Left = { path: string; reason: string };

/** Failures that are the directory's and not one file's. */
const FATAL = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** Makes one thing under its own name, new; what this host's file system cannot hold is left out. */
type Make = (file: WalkedFile, act: (path: Bytes) => Promise<void>) => Promise<boolean>;

const maker =
	(staging: string, skipped: Left[]): Make =>
	async (file, act) => {
		const path = rawPath(staging, file.to);
		try {
			if ((await lstat(path).catch(() => undefined)) !== undefined) {
				throw new Error("another file has the same name here");
			}
			await act(path);
			return true;
		} catch (thrown) {
			const errno = errnoOf(thrown);
			if (errno !== undefined && FATAL.has(errno)) throw thrown;
			const reason = errno ?? (thrown instanceof Error ? thrown.message : String(thrown));
			skipped.push({ path: shownName(file.from), reason: `it cannot be made here: ${reason}` });
			return false;
		}
	};

/** Downloads under numbers and tells how many bytes have come. */
const download = async (
	target: Target,
	pairs: readonly { readonly from: string; readonly to: string }[],
	bytes: number,
	onBytes: (done: number) => void,
): Promise<void> => {
	const stop = new AbortController();
	const watch = async (): Promise<void> => {
		while (!stop.signal.aborted) {
			await target.clock.sleep(PROGRESS_MS, stop.signal).catch(() => undefined);
			const sizes = await Promise.all(pairs.map((pair) => sizeOf(pair.to)));
			if (stop.signal.aborted) return;
			onBytes(sizes.reduce((sum, one) => sum + Math.max(0, one), 0));
		}
	};
	const watching = watch();
	try {
		const deadline = DEADLINE_MS + bytes / SLOWEST_BYTES_PER_MS;
		await target.disk.download(target.partition, pairs, deadline);
	} finally {
		stop.abort();
		await watching;
	}
};

type Made = { files: number; bytes: number };

/** Fetches plain files, group by group. */
const fetchPlain = async (
	plain: readonly WalkedFile[],
	target: Target,
	make: Make,
	skipped: Left[],
): Promise<Made> => {
	const made = { files: 0, bytes: 0 };
	const total = plain.reduce((sum, file) => sum + file.stat.size, 0);
	/** Gives a downloaded file its name. */
	const take = async (file: WalkedFile, from: string): Promise<void> => {
		if ((await sizeOf(from)) !== file.stat.size) {
			skipped.push({ path: shownName(file.from), reason: "it cannot be read" });
			return;
		}
		const done = await make(file, async (path) => {
			await finish(Buffer.from(from), file, target.owner);
			await rename(from, path);
		});
		if (!done) return;
		made.files += 1;
		made.bytes += file.stat.size;
	};
	for (const batch of batches(plain)) {
		target.signal.throwIfAborted();
		const bytes = batch.reduce((sum, file) => sum + file.stat.size, 0);
		const pairs = batch.map((file, index) => ({
			from: file.from,
			to: join(target.staging, DATA, String(index)),
		}));
		await download(target, pairs, bytes, (done) => target.onBytes(made.bytes + done, total));
		for (const [index, file] of batch.entries()) {
			const from = pairs[index]?.to ?? "";
			await take(file, from);
			await rm(from, { force: true });
		}
		target.onBytes(made.bytes, total);
	}
	return made;
};

/** Fetches what was walked. Rejects with STORAGE_NO_SPACE before anything is read that would not fit, and when the signal fires. */
export const fetchFiles = async (walk: Walk, target: Target): Promise<Fetched> => {
	const { staging } = target;
	const skipped: Left[] = [];
	const make = maker(staging, skipped);
	const of = (type: FileType) => walk.files.filter((file) => file.stat.type === type);
	const plain = of("file");
	await assertSpace(
		staging,
		plain.reduce((sum, file) => sum + file.stat.size, 0),
	);
	await mkdir(join(staging, TREE));
	await mkdir(join(staging, DATA));
	const directories: WalkedFile[] = [];
	for (const file of of("directory")) {
		if (await make(file, async (path) => void (await mkdir(path, 0o700)))) directories.push(file);
	}
	const made = await fetchPlain(plain, target, make, skipped);
	let links = 0;
	for (const file of of("symlink")) {
		if (await make(file, (path) => symlink(file.target ?? "", path))) links += 1;
	}
	// the deepest first, since a directory's time changes with what is made in it
	for (const file of directories.toReversed()) {
		await finish(rawPath(staging, file.to), file, target.owner);
	}
	return { ...made, directories: directories.length, links, skipped };
};
