// What follows when a service job could not be carried out: another attempt later, a short wait that costs none, or its end.
import { ERRORS, type ErrorView, KnibError } from "../errors.ts";
import { type Refusal, refuse } from "./plan.ts";

/** How long a job that was told "not now" is left alone, ms; the end of another job brings it back at once. */
export const NOT_NOW_MS = 15_000;

/** A refusal that passes by itself: the job waits with this reason and loses no attempt. */
export const refuseForNow = (reason: string): Refusal =>
	refuse("BACKUP_BUSY", reason, { notNow: true });

/** The same for executors, which reject. */
export const notNow = (reason: string): KnibError =>
	new KnibError("BACKUP_BUSY", reason, { details: { notNow: true } });

/** Whether a failure says "not now". */
export const isNotNow = (error: Pick<ErrorView, "details">): boolean =>
	error.details["notNow"] === true;

/** Failures after which the same job cannot succeed, however often it is tried. */
const isFinal = (error: ErrorView): boolean =>
	ERRORS[error.code].retry === "no" && error.code !== "COMMAND_FAILED";

export type AfterFailure =
	| {
			readonly again: true;
			readonly reason: string;
			readonly afterMs: number;
			readonly free: boolean;
	  }
	| { readonly again: false };

/** Decides after an attempt. `attempts` counts the one that failed; `free` says that it does not count after all. */
export const afterFailure = (facts: {
	readonly error: ErrorView;
	readonly attempts: number;
	readonly maxAttempts: number;
	readonly intervalMs: number;
}): AfterFailure => {
	const { error, attempts, maxAttempts, intervalMs } = facts;
	if (isNotNow(error)) {
		return { again: true, reason: error.message, afterMs: NOT_NOW_MS, free: true };
	}
	if (error.code === "INTERRUPTED") {
		return { again: true, reason: error.message, afterMs: 0, free: true };
	}
	if (error.code === "CANCELLED" || isFinal(error) || attempts >= maxAttempts) {
		return { again: false };
	}
	const reason = `attempt ${attempts} of ${maxAttempts} failed: ${error.message}`;
	return { again: true, reason, afterMs: intervalMs, free: false };
};
