import { z } from "zod";
import { instantSchema, uuidSchema } from "./ids.ts";

export const jobTypeSchema = z.enum([
	"Backup",
	"StartCompression",
	"FinalizeCompression",
	"BackupValidation",
	"Restore",
	"RestoreDisk",
	"Consolidate",
	"DeleteBackup",
	"FinishChain",
	"MergeOverlays",
	"ExtractFiles",
	"VerifyRepository",
]);
export type JobType = z.infer<typeof jobTypeSchema>;

export const jobStateSchema = z.enum(["waiting", "executing", "succeeded", "failed", "cancelled"]);
export type JobState = z.infer<typeof jobStateSchema>;

/** An error as it is kept with a job. */
export const jobErrorSchema = z.looseObject({
	code: z.string(),
	message: z.string(),
	hint: z.string(),
});

/** A piece of work that a host carries out. Times are absent until they happen; progress is ephemeral and not part of it. */
export const jobSchema = z.looseObject({
	id: uuidSchema,
	type: jobTypeSchema,
	host: z.string(),
	vm: z.strictObject({ uuid: uuidSchema, name: z.string() }).nullable(),
	backup: uuidSchema.nullable(),
	state: jobStateSchema,
	/** Why it waits or failed, in words. */
	reason: z.string().nullable(),
	/** Step n of k, counted from 1. */
	phase: z
		.strictObject({ name: z.string(), index: z.number().int(), count: z.number().int() })
		.nullable(),
	attempts: z.number().int().nonnegative(),
	createdAt: instantSchema,
	scheduledAt: instantSchema.nullable(),
	startedAt: instantSchema.nullable(),
	endedAt: instantSchema.nullable(),
	/** What was asked for, as the job's own planner reads it. */
	request: z.looseObject({}),
	/** What the command prints when the job is done. */
	result: z.looseObject({}).nullable(),
	error: jobErrorSchema.nullable(),
	/** Jobs that its success has led to; absent where there are none. */
	next: z.array(uuidSchema).optional(),
	warnings: z.array(z.string()),
});
export type Job = z.infer<typeof jobSchema>;

/** How far a step has come; sent to watchers at most 4 times a second and never stored. `rate` is units per second. */
export const progressSchema = z.strictObject({
	done: z.number(),
	total: z.number(),
	unit: z.enum(["bytes", "steps", "percent"]),
	rate: z.number(),
	etaMs: z.number().nullable(),
});
export type Progress = z.infer<typeof progressSchema>;

/** States that no event leaves. */
export const isTerminal = (state: JobState): boolean =>
	state === "succeeded" || state === "failed" || state === "cancelled";
