import { type Hold, KnibError, type PublishedBackup } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { unable, validationPlanOf } from "./validation-context.ts";

/** Says what of this host is in the way: nothing was touched, and the backup is UnableToValidate. */
export const reportObstacles: Executor<"report-obstacles"> = {
	run: async (step) => {
		throw unable(step.obstacles.join("; "));
	},
};

const takeHold = async (context: StepContext): Promise<Hold> => {
	const plan = validationPlanOf(context);
	const repository = await context.repository();
	const { host } = context.deps;
	return repository.hold(plan.vm.uuid, plan.chain, {
		host: host.id,
		job: context.job,
		why: `backup ${plan.backup} is validated on ${host.name}`,
	});
};

/** Gives the hold back. It is this job's, whichever life of the daemon took it; giving it back twice changes nothing. */
export const releaseValidationHold = async (context: StepContext): Promise<void> => {
	await (await takeHold(context)).release();
};

/** The backup as its repository has it now. Rejects with REFUSED when it was removed meanwhile. */
export const readBackup = async (context: StepContext): Promise<PublishedBackup> => {
	const plan = validationPlanOf(context);
	const found = await (await context.repository()).find(plan.backup);
	if (found !== undefined && found.marks.removed === null) return found;
	throw new KnibError("REFUSED", `backup ${plan.backup} was removed before it could be validated`);
};

/** Holds the chain, then marks the backup as being validated. */
export const beginValidation: Executor<"begin-validation"> = {
	run: async (_step, context) => {
		await takeHold(context);
		const backup = await readBackup(context);
		const validation = { status: "Validating", message: null, steps: [] } as const;
		await (await context.repository()).writeMarks(backup, {
			validation: { ...validation, steps: [] },
		});
		return {};
	},
	undo: async (_step, context) => {
		const plan = validationPlanOf(context);
		const repository = await context.repository();
		const backup = await repository.find(plan.backup);
		if (backup?.marks.validation.status === "Validating") {
			await repository.writeMarks(backup, { validation: plan.before });
		}
		await releaseValidationHold(context);
	},
};
