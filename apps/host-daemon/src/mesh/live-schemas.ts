// What peers answer to live questions, checked before it is believed.
import {
	type JobEvent,
	type JobLogLine,
	type JobView,
	jobSchema,
	type PlanView,
	progressSchema,
} from "@knib/core";
import { z } from "zod";

export const jobViewSchema: z.ZodType<JobView> = jobSchema
	.omit({ request: true })
	.extend({ progress: progressSchema.nullable() });

const logLineSchema: z.ZodType<JobLogLine> = z.object({
	at: z.string(),
	level: z.enum(["info", "warn", "error"]),
	text: z.string(),
});
export const jobLogSchema = z.array(logLineSchema);

export const planViewSchema: z.ZodType<PlanView> = z.object({
	type: z.string(),
	reason: z.string(),
	explain: z.array(z.string()),
	warnings: z.array(z.string()),
	steps: z.array(z.object({ kind: z.string(), text: z.string() })),
	bytes: z.number().nonnegative().optional(),
});

export const jobEventSchema: z.ZodType<JobEvent> = z.discriminatedUnion("type", [
	z.object({ type: z.literal("job"), job: jobViewSchema }),
	z.object({
		type: z.literal("progress"),
		job: z.string(),
		phase: jobSchema.shape.phase,
		progress: progressSchema,
	}),
	z.object({ type: z.literal("log"), job: z.string(), line: logLineSchema }),
	z.object({ type: z.literal("end"), job: jobViewSchema }),
]);
