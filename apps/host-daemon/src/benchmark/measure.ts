// What a benchmark does and times. Everything lies in the directories that it is given; who gives them removes them.
import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import {
	type BenchmarkPart,
	type BenchmarkResult,
	type Clock,
	type DiskImages,
	KnibError,
} from "@knib/core";
import type { LogBackend } from "@knib/sync";

export type MeasureDeps = {
	readonly images: Pick<DiskImages, "convert" | "hash" | "sync" | "unlink">;
	readonly clock: Pick<Clock, "monotonic">;
	readonly openLog: (directory: string) => Promise<LogBackend>;
};

export type MeasurePlace = {
	/** In the repository. */
	readonly directory: string;
	/** Beside the store. */
	readonly log: string;
	readonly size: number;
};

const BLOCK = 64 * 1024;
const PIECE = 4 << 20;
/** As backups copy. */
const COROUTINES = 8;
const MOST_WRITES = 1000;
const LONGEST_MS = 3000;

const stopped = (signal: AbortSignal): void => {
	if (signal.aborted) throw new KnibError("CANCELLED", "the benchmark was cancelled");
};

/** Bytes of which half is noise and half is text, in turns: disks are like that, more or less. */
const piece = (length: number): Buffer => {
	const bytes = Buffer.alloc(length, "a line of a log file, as many disks hold many\n");
	for (let at = 0; at < length; at += BLOCK) {
		randomBytes(BLOCK / 2).copy(bytes, at);
	}
	return bytes;
};

/** Makes the file that is worked on; every piece is new, so that no file system keeps two of them as one. */
const writeSource = async (path: string, size: number, signal: AbortSignal): Promise<void> => {
	const file = await open(path, "wx", 0o600);
	try {
		for (let at = 0; at < size; at += PIECE) {
			stopped(signal);
			await file.write(piece(Math.min(PIECE, size - at)));
		}
		await file.sync();
	} finally {
		await file.close();
	}
};

/** The same figure for all: bytes, and how long they took. */
const rated = (name: BenchmarkPart, bytes: number, durationMs: number): BenchmarkResult => ({
	name,
	bytes,
	durationMs: Math.round(durationMs * 1000) / 1000,
	bytesPerSecond: Math.round((bytes * 1000) / Math.max(durationMs, 0.001)),
});

const quantile = (sorted: readonly number[], part: number): number =>
	Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) * 1000) / 1000;

/** Writes of the store's log, each acknowledged before the next. */
const measureSync = async (
	{ openLog, clock }: MeasureDeps,
	directory: string,
	signal: AbortSignal,
): Promise<BenchmarkResult> => {
	const log = await openLog(directory);
	try {
		const text = randomBytes(384).toString("base64");
		const times: number[] = [];
		const began = clock.monotonic();
		let now = began;
		while (times.length < MOST_WRITES && now - began < LONGEST_MS) {
			stopped(signal);
			const value = { number: times.length, text };
			await log.write({ puts: [{ key: `b${times.length % 100}`, value }], purges: [] });
			const after = clock.monotonic();
			times.push(after - now);
			now = after;
		}
		const sorted = times.toSorted((a, b) => a - b);
		return {
			...rated("sync", times.length * (text.length + 24), now - began),
			acknowledged: times.length,
			medianMs: quantile(sorted, 0.5),
			p95Ms: quantile(sorted, 0.95),
		};
	} finally {
		await log.close();
	}
};

/** Measures all parts in their order; `onPart` is told before each. Rejects with CANCELLED, REPOSITORY_NO_SPACE and the codes of the parts. */
export const measureAll = async (
	deps: MeasureDeps,
	{ directory, log, size }: MeasurePlace,
	signal: AbortSignal,
	onPart: (part: BenchmarkPart | "prepare") => void,
): Promise<readonly BenchmarkResult[]> => {
	const { images, clock } = deps;
	const source = { path: `${directory}/source.raw`, format: "raw" } as const;
	const results: BenchmarkResult[] = [];
	const timed = async (
		name: BenchmarkPart,
		bytes: number,
		work: () => Promise<unknown>,
	): Promise<BenchmarkResult> => {
		stopped(signal);
		onPart(name);
		const began = clock.monotonic();
		await work();
		return rated(name, bytes, clock.monotonic() - began);
	};
	const converted = (path: string, compression?: "zstd" | "zlib") => async (): Promise<void> => {
		const target = { path, format: "qcow2" } as const;
		const how = compression === undefined ? target : { ...target, compression };
		await images.convert({ source, target: how, coroutines: COROUTINES }, { signal });
		await images.sync(path);
	};

	onPart("prepare");
	await writeSource(source.path, size, signal);
	const copy = `${directory}/copy.qcow2`;
	results.push(await timed("copy", size, converted(copy)));
	results.push(await timed("hash", size, () => images.hash(copy, { signal })));
	await images.unlink(copy);
	for (const library of ["zstd", "zlib"] as const) {
		const path = `${directory}/${library}.qcow2`;
		const one = await timed(`compress ${library}`, size, converted(path, library));
		const { allocated } = await images.hash(path, { signal });
		results.push({ ...one, compressed: allocated });
		await images.unlink(path);
	}
	stopped(signal);
	onPart("sync");
	return [...results, await measureSync(deps, log, signal)];
};
