import type { Job, JobState } from "../domain/job.ts";
import { jobStateSchema } from "../domain/job.ts";
import { type ErrorView, KnibError } from "../errors.ts";

/** What can happen to a job. `at` is an instant. */
export type JobChange =
	| {
			readonly type: "waits";
			readonly reason: string;
			readonly until: string | null;
			/** The attempt that was begun does not count. */
			readonly free?: boolean;
			/** What the attempt failed of that another one follows. Absent: what is known stays. */
			readonly error?: ErrorView;
	  }
	| { readonly type: "starts"; readonly at: string }
	| { readonly type: "phase"; readonly phase: NonNullable<Job["phase"]> }
	| { readonly type: "warns"; readonly text: string }
	| {
			readonly type: "succeeds";
			readonly at: string;
			readonly result: Record<string, unknown>;
			/** Jobs that follow. */
			readonly next?: readonly string[];
	  }
	| { readonly type: "fails"; readonly at: string; readonly error: ErrorView }
	| { readonly type: "cancelled"; readonly at: string; readonly error: ErrorView };

/** States and the changes that leave them; a terminal state is left by none. */
const ALLOWED: Readonly<Record<JobState, readonly JobChange["type"][]>> = {
	waiting: ["waits", "starts", "fails", "cancelled"],
	executing: ["waits", "starts", "phase", "warns", "succeeds", "fails", "cancelled"],
	succeeded: [],
	failed: [],
	cancelled: [],
};

export const canChange = (state: JobState, change: JobChange["type"]): boolean =>
	ALLOWED[jobStateSchema.parse(state)].includes(change);

const ended = (job: Job, state: JobState, at: string, error: ErrorView | null): Job => ({
	...job,
	state,
	endedAt: at,
	phase: null,
	reason: error?.message ?? job.reason,
	error,
});

/** The job after a change. Throws INTERNAL for a change that its state does not allow. */
export const changeJob = (job: Job, change: JobChange): Job => {
	if (!canChange(job.state, change.type)) {
		throw new KnibError(
			"INTERNAL",
			`job ${job.id} is ${job.state}: ${change.type} is not possible`,
		);
	}
	switch (change.type) {
		case "waits":
			return {
				...job,
				state: "waiting",
				reason: change.reason,
				scheduledAt: change.until,
				attempts: Math.max(0, job.attempts - (change.free === true ? 1 : 0)),
				phase: null,
				error: change.error ?? job.error,
			};
		case "starts":
			return {
				...job,
				state: "executing",
				reason: null,
				startedAt: job.startedAt ?? change.at,
				attempts: job.attempts + 1,
				error: null,
			};
		case "phase":
			return { ...job, phase: change.phase };
		case "warns":
			return job.warnings.includes(change.text)
				? job
				: { ...job, warnings: [...job.warnings, change.text] };
		case "succeeds":
			return {
				...ended(job, "succeeded", change.at, null),
				reason: null,
				result: change.result,
				...((change.next ?? []).length === 0 ? {} : { next: [...(change.next ?? [])] }),
			};
		case "fails":
			return ended(job, "failed", change.at, change.error);
		case "cancelled":
			return ended(job, "cancelled", change.at, change.error);
	}
};
