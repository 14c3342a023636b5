// One disk of a backup opened in an appliance: its file systems, and the files in them, all read-only. The appliance writes to a
// throw-away overlay, so a journal is replayed there and no byte of the repository changes. Calls are made one at a time.
import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type FileStat, type FileSystemView, KnibError, sha256Schema, shownName } from "@knib/core";
import { safe } from "@knib/core/text";
import type { Guestfish } from "./guestfish.ts";
import {
	inOrder,
	isReadable,
	parseFileSystems,
	parseNames,
	parseStat,
	partitionOf,
} from "./guestfish-parse.ts";
import { commandLine, quoted, quotedLocal } from "./guestfish-quote.ts";
import { lastWords } from "./launch.ts";

/** A file with its raw name. */
export type FoundFile = { readonly raw: string; readonly stat: FileStat };

export type GuestDisk = {
	readonly fileSystems: () => Promise<readonly FileSystemView[]>;
	/** A file of a file system; undefined when there is none. `path` is raw and absolute. Rejects with FILE_SYSTEM_UNREADABLE. */
	readonly stat: (partition: string, path: string) => Promise<FileStat | undefined>;
	/** The first `most` files of a directory by their bytes, and how many there are. What cannot be looked at is passed over. */
	readonly list: (
		partition: string,
		path: string,
		most: number,
	) => Promise<{ readonly files: readonly FoundFile[]; readonly total: number }>;
	/** What a symbolic link names, as text; null when it cannot be read. */
	readonly target: (partition: string, path: string) => Promise<string | null>;
	/** SHA-256 of a plain file's contents. Rejects with FILE_SYSTEM_UNREADABLE. */
	readonly digest: (partition: string, path: string) => Promise<string>;
	/** Writes files to new files of the host; one that cannot be read is missing or short afterwards. */
	readonly download: (
		partition: string,
		files: readonly { readonly from: string; readonly to: string }[],
		deadlineMs: number,
	) => Promise<void>;
};

const MOST_NAME_BYTES = 64 * 1024 * 1024;
const AT_ONCE = 200;
/** The longest that a file is hashed, ms. */
const DIGEST_MS = 30 * 60_000;

const missing = (errors: string): boolean =>
	/No such file or directory|Not a directory/.test(errors);

const readNames = async (file: string): Promise<readonly string[] | undefined> => {
	const found = await stat(file).catch(() => undefined);
	if (found === undefined) return undefined;
	if (found.size > MOST_NAME_BYTES) {
		throw new KnibError("FILE_SYSTEM_UNREADABLE", "the directory holds too many names");
	}
	const handle = await open(file, "r");
	try {
		return parseNames(await handle.readFile());
	} finally {
		await handle.close();
		await rm(file, { force: true });
	}
};

/** The questions about a started appliance; `directory` is on the host and this appliance's own. */
export const createGuestDisk = (guestfish: Guestfish, directory: string): GuestDisk => {
	const devices = new Map<string, string>();
	let mounted: string | undefined;
	let all: Promise<readonly FileSystemView[]> | undefined;

	const fact = async (name: string, device: string): Promise<string> =>
		(await guestfish.ask(commandLine(name, quotedLocal(device)))).lines.join(" ").trim();

	const find = async (): Promise<readonly FileSystemView[]> => {
		const { lines } = await guestfish.ask("list-filesystems");
		const views: FileSystemView[] = [];
		for (const { device, type } of parseFileSystems(lines)) {
			const partition = partitionOf(device);
			devices.set(partition, device);
			const label = await fact("vfs-label", device);
			const size = Number(await fact("blockdev-getsize64", device));
			views.push({
				partition,
				type,
				label: label === "" ? null : safe(label),
				size: Number.isSafeInteger(size) ? size : 0,
				readable: isReadable(type),
			});
		}
		return views.sort(inOrder);
	};
	const fileSystems: GuestDisk["fileSystems"] = async () => {
		all ??= find();
		return await all;
	};

	const mount = async (partition: string): Promise<void> => {
		if (mounted === partition) return;
		const views = await fileSystems();
		const view = views.find((one) => one.partition === partition);
		const device = devices.get(partition);
		if (view === undefined || device === undefined) {
			const known = views.map((one) => one.partition).join(", ");
			throw new KnibError("NOT_FOUND", `the disk has no file system on ${partition}`, {
				details: { hint: known === "" ? "it has none at all" : `it has: ${known}` },
			});
		}
		mounted = undefined;
		await guestfish.ask("umount-all");
		const { errors } = await guestfish.ask(commandLine("mount-ro", quotedLocal(device), "/"));
		if (parseStat((await guestfish.ask("lstatns /")).lines) === undefined) {
			throw new KnibError(
				"FILE_SYSTEM_UNREADABLE",
				`the ${view.type} file system on ${partition} cannot be read: ${lastWords(errors)}`,
			);
		}
		mounted = partition;
	};

	const stat: GuestDisk["stat"] = async (partition, path) => {
		await mount(partition);
		const { lines, errors } = await guestfish.ask(commandLine("lstatns", quoted(path)));
		const found = parseStat(lines);
		if (found !== undefined || missing(errors)) return found;
		throw new KnibError(
			"FILE_SYSTEM_UNREADABLE",
			`${shownName(path)} on ${partition} cannot be read: ${lastWords(errors)}`,
		);
	};

	const look = async (path: string, raw: string): Promise<readonly FoundFile[]> => {
		const at = path === "/" ? `/${raw}` : `${path}/${raw}`;
		const { lines } = await guestfish.ask(commandLine("lstatns", quoted(at)));
		const found = parseStat(lines);
		return found === undefined ? [] : [{ raw, stat: found }];
	};
	const lookAll = async (path: string, names: readonly string[]): Promise<readonly FoundFile[]> => {
		const files: FoundFile[] = [];
		for (let at = 0; at < names.length; at += AT_ONCE) {
			const some = names.slice(at, at + AT_ONCE);
			const found = await Promise.allSettled(some.map((raw) => look(path, raw)));
			for (const one of found) {
				if (one.status === "fulfilled") files.push(...one.value);
				// a name that is too long to be asked for is passed over like one that cannot be read
				else if (!isTooLong(one.reason)) throw one.reason;
			}
		}
		return files;
	};
	const list: GuestDisk["list"] = async (partition, path, most) => {
		await mount(partition);
		const file = join(directory, "names");
		const { errors } = await guestfish.ask(commandLine("ls0", quoted(path), quotedLocal(file)));
		const names = await readNames(file);
		if (names === undefined || errors !== "") {
			throw new KnibError(
				"FILE_SYSTEM_UNREADABLE",
				`${shownName(path)} on ${partition} cannot be listed: ${lastWords(errors)}`,
			);
		}
		const files = await lookAll(path, names.slice(0, most));
		return { files, total: names.length };
	};

	const target: GuestDisk["target"] = async (partition, path) => {
		await mount(partition);
		const { lines, errors } = await guestfish.ask(commandLine("readlink", quoted(path)));
		return errors === "" ? lines.join("\n") : null;
	};
	const download: GuestDisk["download"] = async (partition, files, deadlineMs) => {
		await mount(partition);
		const lines = files.flatMap(({ from, to }) => {
			try {
				return [commandLine("download", quoted(from), quotedLocal(to))];
			} catch (thrown) {
				if (isTooLong(thrown)) return [];
				throw thrown;
			}
		});
		await Promise.all(lines.map((line) => guestfish.ask(line, deadlineMs)));
	};
	const digest: GuestDisk["digest"] = async (partition, path) => {
		await mount(partition);
		const line = commandLine("checksum", "sha256", quoted(path));
		const { lines, errors } = await guestfish.ask(line, DIGEST_MS);
		const found = sha256Schema.safeParse(lines[0]);
		if (found.success) return found.data;
		throw new KnibError(
			"FILE_SYSTEM_UNREADABLE",
			`${shownName(path)} on ${partition} cannot be read: ${lastWords(errors)}`,
		);
	};
	return { fileSystems, stat, list, target, digest, download };
};

const isTooLong = (thrown: unknown): boolean =>
	thrown instanceof KnibError && thrown.code === "USAGE";
