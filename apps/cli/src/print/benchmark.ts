import type { BenchmarkResult, BenchmarkView } from "@knib/core";
import { table } from "./table.ts";
import { counted, safe, size } from "./text.ts";

const percent = (part: number, whole: number): string => `${Math.round((part * 100) / whole)} %`;

const noteOf = (one: BenchmarkResult): string => {
	if (one.compressed !== undefined) return `${percent(one.compressed, one.bytes)} is left`;
	if (one.acknowledged === undefined) return "";
	const { acknowledged, medianMs, p95Ms } = one;
	return `${counted(acknowledged, "write")}, each acknowledged in ${medianMs} ms, 95 % within ${p95Ms} ms`;
};

const COLUMNS = [
	{ head: "PART", cell: ({ name }: BenchmarkResult) => name },
	{ head: "RATE", cell: (one: BenchmarkResult) => `${size(one.bytesPerSecond)}/s` },
	{ head: "BYTES", cell: (one: BenchmarkResult) => size(one.bytes) },
	{ head: "TIME", cell: (one: BenchmarkResult) => `${(one.durationMs / 1000).toFixed(2)} s` },
	{ head: "NOTE", cell: noteOf },
];

/** The rates, with what else the host was doing. */
export const benchmarkText = (view: BenchmarkView): string => {
	const { host, repository, cores, load, executing, busy, results } = view;
	const work = `load ${load}, ${executing === 0 ? "no job" : counted(executing, "job")} executing`;
	return [
		safe(`host ${host}, ${counted(cores, "core")}; repository ${repository.name}`),
		busy ? `it was busy (${work}): it can do more than this` : `it was idle (${work})`,
		table(results, COLUMNS),
	].join("\n");
};
