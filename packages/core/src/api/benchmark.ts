// What `knib benchmark` takes and prints.
import { z } from "zod";

const MIB = 1 << 20;

/** Bytes of the file that is copied, hashed and compressed: enough to measure something, and little enough to be given back soon. */
export const BENCHMARK_SIZE = { least: 16 * MIB, most: 4096 * MIB, usual: 256 * MIB } as const;

export const benchmarkInputSchema = z.strictObject({
	/** Name or id; absent: the default one. */
	repository: z.string().min(1).max(500).optional(),
	size: z
		.number()
		.int()
		.min(BENCHMARK_SIZE.least, "a benchmark wants 16 MiB at least")
		.max(BENCHMARK_SIZE.most, "a benchmark takes 4 GiB at most")
		.default(BENCHMARK_SIZE.usual),
});
export type BenchmarkInput = z.infer<typeof benchmarkInputSchema>;

/** What is measured, in this order. */
export const BENCHMARK_PARTS = ["copy", "hash", "compress zstd", "compress zlib", "sync"] as const;
export type BenchmarkPart = (typeof BENCHMARK_PARTS)[number];

export type BenchmarkResult = {
	readonly name: BenchmarkPart;
	readonly bytes: number;
	readonly durationMs: number;
	readonly bytesPerSecond: number;
	/** Of a compression: what was left of `bytes`. */
	readonly compressed?: number;
	/** Of sync: writes of the store that were acknowledged one after another, and how long one took. */
	readonly acknowledged?: number;
	readonly medianMs?: number;
	readonly p95Ms?: number;
};

export type BenchmarkView = {
	readonly host: string;
	readonly repository: { readonly id: string; readonly name: string; readonly path: string };
	readonly at: string;
	/** Bytes of the file that was worked on; half of it cannot be compressed. */
	readonly size: number;
	readonly cores: number;
	/** Processes that wanted a core in the minute before. */
	readonly load: number;
	/** Jobs that were being executed when it began. */
	readonly executing: number;
	/** Whether other work was going on when it began, so that the host can do more than this. */
	readonly busy: boolean;
	readonly results: readonly BenchmarkResult[];
};

/** What a benchmark says while it runs; the last one is the result. */
export type BenchmarkEvent =
	| { readonly type: "progress"; readonly part: BenchmarkPart | "prepare" }
	| { readonly type: "result"; readonly result: BenchmarkView };
