import type { JobView } from "@knib/core";
import { duration, short, size } from "@knib/core/text";
import { span } from "../view/frame.ts";
import { bar, fractionOf, signOf, toneOf } from "../view/signs.ts";
import type { Row } from "./screen.ts";

/** Share, time left, rate and phase of a job that runs, what counts most first; why it waits or how it ended otherwise. */
export const jobProgress = (job: JobView, width = 6): string => {
	if (job.state !== "executing") return job.error?.message ?? job.reason ?? "";
	const fraction = fractionOf(job);
	const { progress, phase } = job;
	return [
		fraction === null
			? ""
			: `${bar(fraction, width)} ${String(Math.floor(fraction * 100)).padStart(2)}%`,
		progress?.etaMs === null || progress === null ? "" : `ETA ${duration(progress.etaMs)}`,
		progress?.unit === "bytes" && progress.rate > 0 ? `${size(progress.rate)}/s` : "",
		phase === null ? "" : `${phase.index}/${phase.count} ${phase.name}`,
	]
		.filter((part) => part !== "")
		.join("  ");
};

/** A job as three cells. */
export const jobRow = (job: JobView, prefix = ""): Row => {
	const tone = toneOf(job.state);
	return {
		id: `${prefix}${job.id}`,
		cells: [
			span(`  ${signOf(tone)} ${short(job.id)}`, tone),
			span(`${job.type} ${job.vm?.name ?? ""}`, "bold"),
			span(jobProgress(job), tone),
		],
		target: { kind: "job", id: job.id },
		open: { screen: "job", id: job.id },
	};
};
