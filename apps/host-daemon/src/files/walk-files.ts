// What an extraction will make: every directory, file and link below the paths asked for, with what is left out and why. Links are
// looked at, never followed: a name below one would have to exist below a directory.
import {
	absolutePath,
	asKnibError,
	type FileStat,
	guestPath,
	KnibError,
	shownName,
	staysInside,
} from "@knib/core";
import type { FoundFile, GuestDisk } from "./guest-disk.ts";

/** One thing to make: `to` is raw, below the directory that gets the files. */
export type WalkedFile = {
	readonly from: string;
	readonly to: readonly string[];
	readonly stat: FileStat;
	/** Of a symbolic link. */
	readonly target: string | null;
};

export type Walk = {
	/** Directories before what is in them. */
	readonly files: readonly WalkedFile[];
	readonly items: readonly { readonly path: string; readonly to: string }[];
	readonly skipped: readonly { readonly path: string; readonly reason: string }[];
};

/** The most that one extraction makes. */
const MOST_FILES = 1_000_000;

const OTHER = {
	block: "it is a device",
	character: "it is a device",
	fifo: "it is a pipe",
	socket: "it is a socket",
	unknown: "it is of an unknown type",
} as const;

type Place = { readonly from: string; readonly to: readonly string[] };

/** Looks at everything below the paths. `signal` ends it. Rejects with NOT_FOUND for a path that is not there, FILE_SYSTEM_UNREADABLE, REFUSED for too many files. */
export const walkFiles = async (
	disk: GuestDisk,
	partition: string,
	paths: readonly string[],
	signal: AbortSignal,
): Promise<Walk> => {
	const files: WalkedFile[] = [];
	const skipped: { path: string; reason: string }[] = [];
	const skip = (path: string, reason: string): void => {
		skipped.push({ path: shownName(path), reason });
	};
	const add = (file: WalkedFile): void => {
		if (files.length >= MOST_FILES) {
			throw new KnibError("REFUSED", `there are more than ${MOST_FILES} files to extract`, {
				details: { hint: "extract fewer at a time, or restore the disk" },
			});
		}
		files.push(file);
	};
	const link = async (place: Place, stat: FileStat, depth: number): Promise<void> => {
		const target = depth < 0 ? null : await disk.target(partition, place.from).catch(() => null);
		if (depth < 0) skip(place.from, "it is a symbolic link: name what it leads to");
		else if (target === null) skip(place.from, "the link cannot be read");
		else if (staysInside(target, depth)) add({ ...place, stat, target });
		else skip(place.from, `it leads out of what is extracted, to ${shownText(target)}`);
	};
	const directory = async (place: Place, stat: FileStat, depth: number): Promise<void> => {
		if (place.to.length > 0) add({ ...place, stat, target: null });
		for (const one of await below(place)) {
			const from = place.from === "/" ? `/${one.raw}` : `${place.from}/${one.raw}`;
			await visit({ from, to: [...place.to, one.raw] }, one.stat, depth + 1);
		}
	};
	const visit = async (place: Place, stat: FileStat, depth: number): Promise<void> => {
		signal.throwIfAborted();
		const { type } = stat;
		if (type === "directory") await directory(place, stat, depth);
		else if (type === "symlink") await link(place, stat, depth);
		else if (type === "file") add({ ...place, stat, target: null });
		else skip(place.from, OTHER[type]);
	};
	/** What is in a directory; one that cannot be read is left out as a whole. */
	const below = async ({ from }: Place): Promise<readonly FoundFile[]> => {
		try {
			const { files: found, total } = await disk.list(partition, from, MOST_FILES);
			if (found.length < total)
				skip(from, `${total - found.length} files in it cannot be looked at`);
			return found;
		} catch (thrown) {
			const { code, message } = asKnibError(thrown);
			if (code !== "USAGE" && code !== "FILE_SYSTEM_UNREADABLE") throw thrown;
			skip(from, message);
			return [];
		}
	};
	const items: { path: string; to: string }[] = [];
	for (const path of paths) {
		const parts = guestPath(path);
		const from = absolutePath(parts);
		const stat = await disk.stat(partition, from);
		if (stat === undefined) {
			throw new KnibError("NOT_FOUND", `there is no ${shownName(from)} on partition ${partition}`);
		}
		const to = parts.slice(-1);
		const before = files.length;
		await visit({ from, to }, stat, -1);
		if (files.length > before || stat.type === "directory") {
			items.push({ path: shownName(from), to: shownName(to.join("/")) });
		}
	}
	return { files, items, skipped };
};

const shownText = (text: string): string => shownName(Buffer.from(text, "utf8").toString("latin1"));
