import { KnibError, type PublishedBackup } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { unable, validationPlanOf } from "./validation-context.ts";

/** Says what of this host is in the way: nothing was touched, and the backup is UnableToValidate. */
export const reportObstacles: Executor<"report-obstacles"> = {
	run: async (step) => {
		throw unable(step.obstacles.join("; "));
	},
};

/** The backup as its repository has it now. Rejects with REFUSED when it was removed meanwhile. */
export const readBackup = async (context: StepContext): Promise<PublishedBackup> => {
	const plan = validationPlanOf(context);
	const found = await (await context.repository()).find(plan.backup);
	if (found !== undefined && found.marks.removed === null) return found;
	throw new KnibError("REFUSED", `backup ${plan.backup} was removed before it could be validated`);
};

/** Marks the backup as being validated. */
export const beginValidation: Executor<"begin-validation"> = {
	run: async (_step, context) => {
		const backup = await readBackup(context);
		const validation = { ...backup.marks.validation, status: "Validating", message: null } as const;
		await (await context.repository()).writeMarks(backup, { validation });
		return {};
	},
	undo: async (_step, context) => {
		const plan = validationPlanOf(context);
		const repository = await context.repository();
		const backup = await repository.find(plan.backup);
		if (backup?.marks.validation.status === "Validating") {
			await repository.writeMarks(backup, { validation: plan.before });
		}
	},
};
