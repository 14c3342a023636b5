import type { JobView } from "@knib/core";
import { duration, instant, short, size } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { type Line, span } from "../view/frame.ts";
import { bar, fractionOf, minute, sparkline, stateSpan } from "../view/signs.ts";
import { jobProgress } from "./job-rows.ts";
import { emptyWords, fact, longFact, noTarget, type Screen, sentence } from "./screen.ts";

/** Newest first; what runs before what has ended. */
const inOrder = (jobs: readonly JobView[]): readonly JobView[] => {
	const rank = (job: JobView): number =>
		job.state === "executing" ? 0 : job.state === "waiting" ? 1 : 2;
	return [...jobs].sort(
		(a, b) =>
			rank(a) - rank(b) || (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0),
	);
};

/** All jobs, live. */
export const jobs: Screen = {
	title: () => "Jobs",
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "jobs", "no jobs yet"),
		columns: [
			{ head: "JOB", width: 8, from: 60 },
			{ head: "TYPE", width: 16 },
			{ head: "VM", width: 14, grows: true },
			{ head: "STATE", width: 11 },
			{ head: "CREATED", width: 16, from: 100 },
			{ head: "PROGRESS", width: 0 },
		],
		rows: inOrder(state.data.jobs ?? []).map((job) => ({
			id: job.id,
			target: { kind: "job", id: job.id },
			open: { screen: "job", id: job.id },
			cells: [
				span(short(job.id), "dim"),
				span(job.type),
				span(job.vm?.name ?? "-", "bold"),
				stateSpan(job.state),
				{ ...span(minute(job.createdAt), "dim"), key: job.createdAt },
				span(jobProgress(job), job.state === "failed" ? "bad" : "plain"),
			],
		})),
	}),
};

const progressLines = (state: State, job: JobView, width: number): readonly Line[] => {
	const fraction = fractionOf(job);
	const { progress } = job;
	if (job.state !== "executing" || fraction === null || progress === null) return [];
	const amount =
		progress.unit === "bytes" ? `${size(progress.done)} of ${size(progress.total)}` : "";
	const eta = progress.etaMs === null ? "" : `  ETA ${duration(progress.etaMs)}`;
	const rates = state.rates[job.id] ?? [];
	const cells = Math.max(10, Math.min(60, width - 50));
	return [
		[span(` ${bar(fraction, cells)} ${Math.floor(fraction * 100)}%  ${amount}${eta}`, "accent")],
		...(progress.unit === "bytes"
			? [fact("rate", `${sparkline(rates.slice(-cells))} ${size(progress.rate)}/s`)]
			: []),
	];
};

const jobHead = (state: State, job: JobView, width: number): readonly Line[] => [
	[span(` ${job.type} ${job.vm?.name ?? ""}  `, "bold"), stateSpan(job.state)],
	...(job.phase === null
		? []
		: [fact("phase", `${job.phase.index}/${job.phase.count} ${job.phase.name}`)]),
	...progressLines(state, job, width),
	...longFact(
		"times",
		`created ${minute(job.createdAt)}, started ${minute(job.startedAt)}, ended ${minute(job.endedAt)}, attempts ${job.attempts}`,
		width,
	),
	...(job.reason === null ? [] : longFact("reason", job.reason, width)),
	...(job.error === null
		? []
		: [
				...longFact("error", `${job.error.message} (${job.error.code})`, width, "bad"),
				...longFact("next", job.error.hint, width),
			]),
	...job.warnings.flatMap((text) => longFact("warning", text, width, "warn")),
];

/** One job with its log. */
export const job: Screen = {
	title: (_, route) => `Job ${short(route.id)}`,
	target: ({ id }) => (id === null ? null : { kind: "job", id }),
	body: (state, route, width) => {
		const found = state.data.jobs?.find((one) => one.id === route.id);
		const lines = state.logs[route.id ?? ""];
		return {
			head:
				found === undefined
					? [fact("job", emptyWords(state, "jobs", "it is not known any more"))]
					: jobHead(state, found, width),
			sortable: false,
			follows: true,
			columns: [{ head: "LOG", width: 0 }],
			empty: lines === undefined ? "reading…" : "its log is empty",
			rows: (lines ?? []).map((line, index) =>
				sentence(
					`line ${index}`,
					`${instant(line.at).slice(11, 19)} ${line.text}`,
					line.level === "error" ? "bad" : line.level === "warn" ? "warn" : "plain",
				),
			),
		};
	},
};
