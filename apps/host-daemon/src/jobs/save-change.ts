import { asKnibError, changeJob, type Job, viewError } from "@knib/core";
import type { ExecuteParts } from "./execute-job.ts";

/** Changes a job, makes that durable, and tells watchers. */
export const saveAndTell = async (
	parts: ExecuteParts,
	job: Job,
	change: Parameters<typeof changeJob>[1],
): Promise<Job> => {
	const next = changeJob(job, change);
	await parts.book.save(next);
	parts.events.changed(next);
	return next;
};

/** Ends a job that never got to its plan's steps. */
export const endEarly = async (parts: ExecuteParts, id: string, thrown: unknown): Promise<void> => {
	const error = asKnibError(thrown);
	const job = parts.book.get(id);
	if (job === undefined || job.endedAt !== null) return;
	const type = error.code === "CANCELLED" ? "cancelled" : "fails";
	const at = parts.deps.clock.now();
	const ended = await saveAndTell(parts, job, { type, at, error: viewError(error) });
	parts.events.ended(ended);
};
