// Whether a benchmark may run in a repository: it must not take the space that backups need. Pure.
import { type Refusal, refuse } from "./plan.ts";

export type BenchmarkFacts = {
	readonly name: string;
	readonly capacity: number;
	readonly free: number;
	/** Percent of the repository that must stay free. */
	readonly minimumFree: number;
	/** Bytes of the file that is worked on. */
	readonly size: number;
};

/** For headers and tables of images, bytes. */
const OVERHEAD = 16 << 20;

const mib = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;

/** The most bytes that lie in the repository at one time, or why it is not begun: the file, and one copy of it at a time. */
export const planBenchmark = (facts: BenchmarkFacts): { readonly needed: number } | Refusal => {
	const needed = 2 * facts.size + OVERHEAD;
	const kept = (facts.capacity * facts.minimumFree) / 100;
	if (facts.free - needed >= kept) return { needed };
	const keeps = kept > 0 ? `, of which ${mib(kept)} must stay free` : "";
	return refuse(
		"REFUSED",
		`a benchmark of ${mib(facts.size)} needs ${mib(needed)} in repository ${facts.name}, which has ${mib(facts.free)} free${keeps}`,
		{ needed, free: facts.free, hint: "free space, or take less with --size" },
	);
};

/** Whether so much other work goes on that a benchmark shows less than the host can do. */
export const isBusy = (load: number, cores: number, executing: number): boolean =>
	executing > 0 || load >= cores / 2;
