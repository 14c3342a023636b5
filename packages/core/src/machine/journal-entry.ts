// What a host writes to its journal while a job runs, and the state that follows from it. The runner and the recovery after a
// crash use the same reducer, so there is one path only (DESIGN 4).
import { z } from "zod";
import { proofSchema } from "../domain/chain.ts";
import { bytesSchema, instantSchema, sha256Schema } from "../domain/ids.ts";
import { fileFactsSchema } from "../domain/image.ts";
import { jobSchema } from "../domain/job.ts";
import { manifestSchema, trackedFilesSchema } from "../domain/manifest.ts";
import { validationStepReportSchema } from "../domain/validation.ts";
import type { Plan } from "../plan/plan.ts";

/** A layer as it lies in `incoming/`, measured after it was checked. */
export const layerFactsSchema = z.strictObject({
	target: z.string(),
	size: bytesSchema,
	allocated: bytesSchema,
	sha256: sha256Schema,
	headerDigest: sha256Schema,
	virtualSize: bytesSchema,
});
export type LayerFacts = z.infer<typeof layerFactsSchema>;

/** What steps have found out, for the steps after them: one bag that grows, kept in the journal. */
export const outcomesSchema = z.strictObject({
	fencing: z.number().int().optional(),
	pointInTime: instantSchema.optional(),
	thawedEarly: z.boolean().optional(),
	/** The disks' files right after the switch to the overlays, and the run of the VM's process then; absent when it was off. */
	frozen: z
		.strictObject({ run: z.string().optional(), disks: z.array(trackedFilesSchema) })
		.optional(),
	/** Merges that were made; `base` is the image right afterwards, null where something else may have written it since. */
	merged: z
		.array(
			z.strictObject({
				target: z.string(),
				into: z.string(),
				overlays: z.array(z.string()),
				base: fileFactsSchema.nullable(),
			}),
		)
		.optional(),
	layers: z.array(layerFactsSchema).optional(),
	machine: z
		.strictObject({
			files: z.array(z.string()),
			networks: z.array(z.string()),
			pools: z.array(z.string()),
		})
		.optional(),
	manifest: manifestSchema.optional(),
	proof: proofSchema.optional(),
	/** What phase 1 of a compression made; `kept` is false for a result that was not smaller. */
	compressed: z
		.array(
			z.strictObject({
				target: z.string(),
				library: z.enum(["zstd", "zlib"]),
				allocated: bytesSchema,
				kept: z.boolean(),
			}),
		)
		.optional(),
	warnings: z.array(z.string()).optional(),
	/** Overlays that could not be merged, with the reason. */
	leftover: z.array(z.strictObject({ target: z.string(), reason: z.string() })).optional(),
	startedAt: instantSchema.optional(),
	/** Reports of a validation's steps so far. */
	validation: z.array(validationStepReportSchema).optional(),
	/** Layers that are not what was published. */
	damaged: z
		.array(z.strictObject({ backup: z.string(), path: z.string(), message: z.string() }))
		.optional(),
	/** What a verification has read, and what was not as published. */
	verified: z
		.strictObject({
			backups: z.number().int(),
			files: z.number().int(),
			bytes: bytesSchema,
			damaged: z.array(
				z.strictObject({ backup: z.string(), path: z.string(), message: z.string() }),
			),
			problems: z.array(z.string()),
		})
		.optional(),
	accelerator: z.enum(["kvm", "qemu"]).optional(),
	/** When a throw-away VM was started, on the monotonic clock of this life of the daemon, ms. */
	startedMonotonic: z.number().optional(),
	answerMs: z.number().optional(),
	/** A screenshot was kept beside the report. */
	screenshot: z.boolean().optional(),
	agentMs: z.number().nullable().optional(),
	/** What an extraction of files made; names are shown names. */
	extracted: z
		.strictObject({
			partition: z.string(),
			files: z.number().int(),
			directories: z.number().int(),
			links: z.number().int(),
			bytes: z.number().int(),
			items: z.array(z.strictObject({ path: z.string(), to: z.string() })),
			/** What was left out, the first thousand of it. */
			skipped: z.array(z.strictObject({ path: z.string(), reason: z.string() })),
			skippedCount: z.number().int(),
		})
		.optional(),
	/** What a consolidation has pulled in, bytes, and how long that took. */
	pulled: z.strictObject({ bytes: z.number(), ms: z.number() }).optional(),
});
export type Outcomes = z.infer<typeof outcomesSchema>;

const errorSchema = z.looseObject({ code: z.string(), message: z.string(), hint: z.string() });
const stepNumber = z.number().int().nonnegative();

export const journalEntrySchema = z.discriminatedUnion("type", [
	z.strictObject({
		type: z.literal("plan"),
		job: jobSchema,
		plan: z.custom<Plan>(
			(value) => typeof value === "object" && value !== null && "steps" in value,
		),
	}),
	z.strictObject({ type: z.literal("begin"), step: stepNumber }),
	z.strictObject({ type: z.literal("done"), step: stepNumber, outcome: outcomesSchema }),
	z.strictObject({ type: z.literal("failed"), step: stepNumber, error: errorSchema }),
	z.strictObject({ type: z.literal("undoing"), error: errorSchema }),
	z.strictObject({ type: z.literal("undone"), step: stepNumber }),
]);
export type JournalEntry = z.infer<typeof journalEntrySchema>;
