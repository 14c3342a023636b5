// A disk of a backup whose file systems are a table: partition, raw path, file.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { FileStat, FileSystemView } from "@knib/core";
import type { GuestDisk } from "../../apps/host-daemon/src/files/guest-disk.ts";

export type FakeFile = Partial<FileStat> & { readonly target?: string };
export type FakeTree = Readonly<Record<string, FakeFile>>;

const STAT: FileStat = {
	...{ type: "file", size: 3, mode: "0644", uid: 0, gid: 0 },
	modifiedAt: "2026-01-02T03:04:05.000Z",
};

const statOf = (file: FakeFile): FileStat => {
	const { target: _, ...stat } = file;
	return { ...STAT, ...stat };
};

/** Each partition's files by raw absolute path; directories must be named. */
export const fakeGuestDisk = (
	partitions: Readonly<Record<string, FakeTree>>,
	types: Readonly<Record<string, string>> = {},
): GuestDisk => {
	const treeOf = (partition: string): FakeTree => ({
		"/": { type: "directory" },
		...partitions[partition],
	});
	return {
		fileSystems: async () =>
			Object.keys(partitions).map((partition): FileSystemView => {
				const type = types[partition] ?? "ext4";
				return { partition, type, label: null, size: 1 << 20, readable: type !== "swap" };
			}),
		stat: async (partition, path) => {
			const file = treeOf(partition)[path];
			return file === undefined ? undefined : statOf(file);
		},
		list: async (partition, path, most) => {
			const below = path === "/" ? "/" : `${path}/`;
			const files = Object.entries(treeOf(partition)).flatMap(([at, file]) => {
				const raw = at.startsWith(below) ? at.slice(below.length) : "";
				return raw === "" || raw.includes("/") ? [] : [{ raw, stat: statOf(file) }];
			});
			return { files: files.slice(0, most), total: files.length };
		},
		digest: async (partition, path) =>
			createHash("sha256")
				.update(JSON.stringify(treeOf(partition)[path]))
				.digest("hex"),
		download: async (partition, files) => {
			for (const { from, to } of files) {
				const { size } = statOf(treeOf(partition)[from] ?? {});
				await writeFile(to, "x".repeat(size));
			}
		},
		target: async (partition, path) => treeOf(partition)[path]?.target ?? null,
	};
};
