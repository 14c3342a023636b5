import type { JobView } from "@knib/core";
import { ERRORS, isErrorCode } from "@knib/core/errors";

/** Exit codes that no error has: done, and done with warnings (CLI.md). */
export const DONE = 0;
export const WARNINGS = 3;
export const INTERRUPTED = 130;

/** The exit code of an error code, 1 for one that this version does not know. */
export const exitOf = (code: string): number => (isErrorCode(code) ? ERRORS[code].exit : 1);

const hasSkipped = (result: Readonly<Record<string, unknown>>): boolean => {
	const skipped = result["skipped"];
	return Array.isArray(skipped) && skipped.length > 0;
};

type Ended = Pick<JobView, "state" | "error" | "result"> & { readonly warnings: readonly string[] };

/** The exit code of a finished job. */
export const exitOfJob = (job: Ended): number => {
	if (job.state === "cancelled") return INTERRUPTED;
	if (job.state !== "succeeded") return exitOf(job.error?.code ?? "JOB_FAILED");
	return job.warnings.length > 0 || hasSkipped(job.result ?? {}) ? WARNINGS : DONE;
};
