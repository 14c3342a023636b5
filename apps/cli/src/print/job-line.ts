// What is said of a job while it runs, as lines of JSON, and when it did not succeed.
import type { JobEvent, JobView } from "@knib/core";
import type { PrintableError } from "./error.ts";
import { short } from "./text.ts";

/** A change of state as a line of the stream, which knows progress, log and result only. */
const stateLine = ({ id, state, reason, phase, progress }: JobView) => ({
	type: "progress",
	job: id,
	state,
	reason,
	phase,
	progress,
});

/** An event as a line of the stream; undefined for the end, which the result tells. */
export const lineOfEvent = (event: JobEvent): Readonly<Record<string, unknown>> | undefined => {
	if (event.type === "end") return undefined;
	return event.type === "job" ? stateLine(event.job) : event;
};

const detailsOf = (value: unknown): Readonly<Record<string, unknown>> =>
	typeof value === "object" && value !== null ? { ...value } : {};

/** Why a job did not succeed. */
export const errorOfJob = (job: JobView): PrintableError => {
	const { code, message, hint, details } = job.error ?? {
		code: "CANCELLED",
		message: job.reason ?? `job ${short(job.id)} was cancelled`,
		hint: `start it again when wanted: \`knib job retry ${short(job.id)}\``,
	};
	const again =
		job.state === "waiting" ? `it is tried again by itself at ${job.scheduledAt}; ${hint}` : hint;
	return { code, message: job.reason ?? message, hint: again, details: detailsOf(details) };
};
