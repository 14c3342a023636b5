import { type Plan, type RunState, reduceRun } from "@knib/core";

/** The job that a restore world runs. */
export const JOB = "0196f000-0000-7000-8000-00000000cafe";

/** A run that has its plan and has begun nothing. */
export const begun = (plan: Plan): RunState =>
	reduceRun(null, {
		type: "plan",
		plan,
		job: {
			id: JOB,
			type: "Restore",
			host: "here",
			vm: null,
			backup: null,
			state: "executing",
			reason: null,
			phase: null,
			attempts: 1,
			createdAt: "2026-01-02T03:04:05.000Z",
			scheduledAt: null,
			startedAt: null,
			endedAt: null,
			request: {},
			result: null,
			error: null,
			warnings: [],
		},
	});
