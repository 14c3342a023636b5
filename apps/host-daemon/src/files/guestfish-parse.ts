// What guestfish prints, as data. Pure.
import type { FileStat, FileSystemView, FileType } from "@knib/core";

/** A file system as `list-filesystems` names it. */
export type FoundFileSystem = { readonly device: string; readonly type: string };

const FOUND = /^(\/dev\/[A-Za-z0-9+_.-]+(?:\/[A-Za-z0-9+_.-]+)?): ([A-Za-z0-9_+.-]+)$/;

/** Lines of `list-filesystems`. What is mounted by more than a device, such as a btrfs subvolume, is passed over: it is reached through its file system. */
export const parseFileSystems = (lines: readonly string[]): readonly FoundFileSystem[] =>
	lines.flatMap((line) => {
		const [, device, type] = FOUND.exec(line) ?? [];
		return device === undefined || type === undefined ? [] : [{ device, type }];
	});

const UNREADABLE = new Set(["swap", "unknown", "crypto_LUKS", "BitLocker"]);

/** Whether a file system of a type can be mounted at all. */
export const isReadable = (type: string): boolean =>
	!UNREADABLE.has(type) && !type.endsWith("_member");

/** What a device of the appliance is called: `/dev/sda2` is partition `2` of the first disk, `/dev/sda` is `whole`, `/dev/vg/lv` is `vg/lv`. */
export const partitionOf = (device: string): string => {
	const [, number] = /^\/dev\/sd[a-z]+(\d*)$/.exec(device) ?? [];
	if (number === "") return "whole";
	return number ?? device.slice("/dev/".length);
};

/** File systems in the order of their partitions. */
export const inOrder = (
	a: Pick<FileSystemView, "partition">,
	b: Pick<FileSystemView, "partition">,
): number => a.partition.localeCompare(b.partition, "en", { numeric: true });

const TYPES: ReadonlyMap<number, FileType> = new Map([
	[0o10, "file"],
	[0o04, "directory"],
	[0o12, "symlink"],
	[0o06, "block"],
	[0o02, "character"],
	[0o01, "fifo"],
	[0o14, "socket"],
]);

const instantOf = (seconds: number, nanoseconds: number): string | null => {
	const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
	const year = date.getUTCFullYear();
	return year >= 0 && year <= 9999 ? date.toISOString() : null;
};

/** Lines of `lstatns`; undefined when there are none, since the file could not be looked at. */
export const parseStat = (lines: readonly string[]): FileStat | undefined => {
	const fields = new Map<string, number>();
	for (const line of lines) {
		const [, name, value] = /^(st_[a-z_]+): (-?\d+)$/.exec(line) ?? [];
		if (name !== undefined && value !== undefined) fields.set(name, Number(value));
	}
	const mode = fields.get("st_mode");
	if (mode === undefined) return undefined;
	const number = (name: string): number => fields.get(name) ?? 0;
	return {
		type: TYPES.get(mode >> 12) ?? "unknown",
		size: Math.min(Math.max(0, number("st_size")), Number.MAX_SAFE_INTEGER),
		mode: (mode & 0o7777).toString(8).padStart(4, "0"),
		uid: number("st_uid"),
		gid: number("st_gid"),
		modifiedAt: instantOf(number("st_mtime_sec"), number("st_mtime_nsec")),
	};
};

/** Names that `ls0` wrote, each ended by a zero byte, as raw names in the order of their bytes. */
export const parseNames = (bytes: Uint8Array): readonly string[] =>
	Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
		.toString("latin1")
		.split("\0")
		.filter((name) => name !== "" && name !== "." && name !== ".." && !name.includes("/"))
		.sort();
