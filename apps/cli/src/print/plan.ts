import type { PlanView } from "@knib/core";
import { safe } from "./text.ts";

/** What a dry run says: the decision, its reasons, its steps. */
export const planText = (plan: PlanView): string =>
	[
		`would ${safe(plan.type)}: ${safe(plan.reason)}`,
		...plan.explain.map((line) => `  ${safe(line)}`),
		...plan.warnings.map((line) => `  warning: ${safe(line)}`),
		...plan.steps.map((step, index) => `  ${index + 1}. ${safe(step.text)}`),
	].join("\n");
