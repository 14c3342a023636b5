// Arguments of every qemu-img and qemu-io call. Formats are always given (I9); paths are absolute, checked here.
import type { DiskFormat } from "@knib/core";
import { absolutePath } from "./image-path.ts";
import type { Argv } from "./run-command.ts";

type Image = { readonly path: string; readonly format: string };

/** Formats' options that make an increment hold little more than was written (measured: LAB 10). */
const optionList = (options: readonly (string | false)[]): readonly string[] => {
	const given = options.filter((option) => option !== false);
	return given.length === 0 ? [] : ["-o", given.join(",")];
};

/** A qcow2 opened without what it stands on, as qemu's `json:` name; only names built here are ever given so. */
export const topOnlyName = (image: Image, kind: "file" | "block"): string => {
	const file = {
		driver: kind === "block" ? "host_device" : "file",
		filename: absolutePath(image.path),
	};
	const node =
		image.format === "qcow2" ? { driver: "qcow2", backing: null, file } : { driver: "raw", file };
	return `json:${JSON.stringify(node)}`;
};

export type ConvertArguments = {
	readonly source: Image;
	readonly target: {
		readonly path: string;
		readonly format: DiskFormat;
		readonly extendedL2?: boolean;
		readonly compression?: "zstd" | "zlib";
	};
	readonly backing?: Image;
	readonly rate?: number;
	readonly coroutines?: number;
	/** Without the page cache, where both file systems can. */
	readonly direct: boolean;
};

/** qemu-img takes at most this many coroutines. */
const MOST_COROUTINES = 16;
const DEFAULT_COROUTINES = 8;

export const qemuImgArgv = {
	info: (image: Image): Argv => [
		"qemu-img",
		"info",
		"-U",
		"-f",
		image.format,
		"--output=json",
		absolutePath(image.path),
	],
	create: (overlay: {
		path: string;
		backing: string;
		backingFormat: string;
		size: number;
		extendedL2: boolean;
	}): Argv => [
		"qemu-img",
		"create",
		"-q",
		"-f",
		"qcow2",
		"-F",
		overlay.backingFormat,
		"-b",
		absolutePath(overlay.backing),
		...optionList(["cluster_size=64k", overlay.extendedL2 && "extended_l2=on"]),
		absolutePath(overlay.path),
		String(overlay.size),
	],
	convert: (job: ConvertArguments): Argv => {
		const cache = job.direct ? "none" : "writeback";
		const qcow2 = job.target.format === "qcow2";
		const coroutines = Math.min(MOST_COROUTINES, Math.max(1, job.coroutines ?? DEFAULT_COROUTINES));
		return [
			"qemu-img",
			"convert",
			"-p",
			"-f",
			job.source.format,
			"-O",
			job.target.format,
			"-T",
			cache,
			"-t",
			cache,
			"-m",
			String(coroutines),
			"-W",
			...((job.rate ?? 0) > 0 ? ["-r", String(job.rate)] : []),
			...(job.backing === undefined
				? []
				: ["-B", absolutePath(job.backing.path), "-F", job.backing.format]),
			...(job.target.compression === undefined ? [] : ["-c"]),
			...optionList([
				qcow2 && "cluster_size=64k",
				qcow2 && job.target.extendedL2 === true && "extended_l2=on",
				job.target.compression !== undefined && `compression_type=${job.target.compression}`,
			]),
			absolutePath(job.source.path),
			absolutePath(job.target.path),
		];
	},
	commit: (path: string): Argv => [
		"qemu-img",
		"commit",
		"-q",
		"-d",
		"-f",
		"qcow2",
		absolutePath(path),
	],
	map: (image: Image): Argv => [
		"qemu-img",
		"map",
		"-f",
		image.format,
		"--output=json",
		absolutePath(image.path),
	],
	compare: (a: Image, b: Image): Argv => [
		"qemu-img",
		"compare",
		"-p",
		"-f",
		a.format,
		"-F",
		b.format,
		absolutePath(a.path),
		absolutePath(b.path),
	],
	compareNames: (a: string, b: string): Argv => ["qemu-img", "compare", "-p", a, b],
	check: (path: string): Argv => ["qemu-img", "check", "-f", "qcow2", absolutePath(path)],
	rebase: (path: string, backing: { name: string; format: string }): Argv => [
		"qemu-img",
		"rebase",
		"-q",
		"-u",
		"-f",
		"qcow2",
		"-F",
		backing.format,
		"-b",
		backing.name,
		absolutePath(path),
	],
	resize: (image: Image, size: number): Argv => [
		"qemu-img",
		"resize",
		"-q",
		"-f",
		image.format,
		absolutePath(image.path),
		String(size),
	],
	/** Takes qemu's write lock on the file and gives it back. As raw: the lock is that of the file, and a qcow2 opened for writing would be changed (dirty bits, bitmaps). */
	probeLock: (path: string): Argv => ["qemu-io", "-f", "raw", "-c", "length", absolutePath(path)],
} as const;
