// What `knib restore plan` says to people.
import type { RestorePlanOutcome, RestorePlanPreview, RestorePlanResult } from "@knib/core";
import { restoreResult } from "./results.ts";
import { table } from "./table.ts";
import { counted, duration, safe, short } from "./text.ts";

type Previewed = RestorePlanPreview["entries"][number];

const atLeast = (ms: number, exact: boolean): string =>
	`${exact ? "" : "at least "}${duration(ms)}`;

const takes = ({ estimate: { ms, leastMs, basis } }: Previewed): string => {
	const time = leastMs > 0 ? atLeast(leastMs, ms !== null) : "an unknown time";
	return `takes ${time}: ${basis}`;
};

const entryText = (entry: Previewed): readonly string[] => [
	`  from ${duration(entry.startMs)}${entry.exact ? "" : " or later"}  ${entry.name}: ${entry.plan.reason}`,
	...(entry.after.length === 0 ? [] : [`    when ${entry.after.join(" and ")} succeeded`]),
	`    ${takes(entry)}`,
	...entry.plan.warnings.map((line) => `    warning: ${line}`),
];

/** What a dry run says: each restore with its time, and how long it all takes. */
export const previewText = ({ entries, parallel, totalMs, exact }: RestorePlanPreview): string => {
	const unknown = entries.filter(({ estimate }) => estimate.ms === null);
	const measured = totalMs > 0;
	const time = measured ? atLeast(totalMs, exact) : "an unknown time";
	const shared = parallel > 1 && measured;
	return [
		`would restore ${counted(entries.length, "VM")}, ${parallel} at a time, in ${time}`,
		...(unknown.length === 0
			? []
			: [`  unknown: how long ${unknown.map(({ name }) => name).join(", ")} will take`]),
		...(shared
			? ["  measured one restore at a time: several at once share disks and network"]
			: []),
		...entries.flatMap(entryText),
	]
		.map(safe)
		.join("\n");
};

const detailOf = ({ state, reason, result }: RestorePlanOutcome): string =>
	state === "done" && result !== null ? restoreResult(result) : (reason ?? "");

/** How each entry ended. */
export const planResultText = ({ entries }: RestorePlanResult): string =>
	table(entries, [
		{ head: "ENTRY", cell: (one) => one.name },
		{ head: "STATE", cell: (one) => one.state },
		{ head: "BACKUP", cell: (one) => short(one.backup) },
		{ head: "JOB", cell: (one) => short(one.job) },
		{ head: "", cell: detailOf },
	]);
