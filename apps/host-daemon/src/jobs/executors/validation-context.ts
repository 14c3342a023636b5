// What the steps of a validation share: its plan, its reports, its limits.
import {
	escapeControl,
	KnibError,
	type Outcomes,
	type ValidationPlan,
	type ValidationStepReport,
} from "@knib/core";
import type { StepContext } from "../context.ts";

/** The job's plan, which is a validation's. */
export const validationPlanOf = ({ plan }: StepContext): ValidationPlan => {
	if (plan.type === "BackupValidation") return plan;
	throw new KnibError("INTERNAL", "a validation's step in the plan of another job");
};

/** Whether a step before this one has failed. */
export const hasFailed = ({ outcomes }: Pick<StepContext, "outcomes">): boolean =>
	(outcomes.validation ?? []).some((step) => !step.ok);

/** Whether the layers are not what was published: then nothing is started from them. */
export const isDamaged = ({ outcomes }: Pick<StepContext, "outcomes">): boolean =>
	(outcomes.validation ?? []).some((step) => step.step === "digest" && !step.ok);

const LONGEST_OUTPUT = 64 * 1024;

type Verdict = Pick<ValidationStepReport, "step" | "ok" | "message" | "durationMs"> & {
	readonly skipped?: boolean;
	readonly output?: string;
};

/** The outcome of a step: its report after those of the steps before. Text of the guest's is capped and escaped (I9). */
export const reported = (context: StepContext, verdict: Verdict): Outcomes => {
	const { step, ok, skipped = false, message, durationMs, output } = verdict;
	const report: ValidationStepReport = {
		step,
		ok,
		skipped,
		message: escapeControl(message),
		durationMs: Math.round(durationMs),
		output: output === undefined ? null : escapeControl(output.slice(0, LONGEST_OUTPUT)),
	};
	const word = skipped ? "skipped" : ok ? "passed" : "failed";
	context.log(ok ? "info" : "error", `${step} ${word}: ${report.message}`);
	return { validation: [...(context.outcomes.validation ?? []), report] };
};

/** Our own trouble: the backup is not in doubt. */
export const unable = (message: string, cause?: unknown): KnibError =>
	new KnibError("VALIDATION_UNABLE", message, { cause });

/** Milliseconds since the throw-away VM was started. */
export const sinceStart = ({ outcomes, deps }: StepContext): number =>
	deps.clock.monotonic() - (outcomes.startedMonotonic ?? deps.clock.monotonic());

/** Milliseconds that the throw-away VM may still live. */
const lifeLeft = (context: StepContext): number => {
	const boot = context.plan.steps.find((step) => step.kind === "boot-validation-vm");
	const life = boot?.kind === "boot-validation-vm" ? boot.lifeMs : 0;
	return context.outcomes.startedMonotonic === undefined ? life : life - sinceStart(context);
};

/** The promise's value, or a DEADLINE after `ms`, or when the throw-away VM has lived as long as it may: what hangs is left behind and does not hold the job. */
export const within = async <T>(
	context: StepContext,
	ms: number,
	what: string,
	promise: Promise<T>,
): Promise<T> => {
	const stop = new AbortController();
	const limit = Math.max(0, Math.min(ms, lifeLeft(context)));
	const late = context.deps.clock
		.sleep(limit, AbortSignal.any([stop.signal, context.signal]))
		.then(() => {
			throw new KnibError("DEADLINE", `${what} took longer than ${Math.round(limit / 1000)} s`);
		});
	try {
		return await Promise.race([promise, late]);
	} finally {
		stop.abort();
		late.catch(() => undefined);
		promise.catch(() => undefined);
	}
};
