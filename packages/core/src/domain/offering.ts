import { z } from "zod";
import { instantSchema, uuidSchema } from "./ids.ts";

/** How many restore points retention keeps (SPEC 3.5); an empty policy is refused. */
export const retentionSchema = z
	.strictObject({
		keepLast: z.number().int().positive().optional(),
		keepHourly: z.number().int().positive().optional(),
		keepDaily: z.number().int().positive().optional(),
		keepWeekly: z.number().int().positive().optional(),
		keepMonthly: z.number().int().positive().optional(),
		keepYearly: z.number().int().positive().optional(),
		/** Milliseconds. */
		keepWithin: z.number().int().positive().optional(),
	})
	.refine(
		(policy) => Object.values(policy).some((v) => v !== undefined),
		"an empty retention policy would keep nothing",
	);

export const validationStepSchema = z.enum(["wait_for_boot", "screenshot", "execute_command"]);
export type ValidationStep = z.infer<typeof validationStepSchema>;

/** The fields of an offering that a user may set; defaults as in SPEC 1. */
export const offeringFieldsSchema = z.strictObject({
	name: z
		.string()
		.min(1)
		.max(200)
		.regex(/^[^\p{C}]+$/u, "a name has no control characters"),
	description: z.string().max(2000).default(""),
	compress: z.boolean().default(false),
	compressionLibrary: z.enum(["zstd", "zlib"]).default("zstd"),
	compressWhen: z.enum(["after", "during"]).default("after"),
	validate: z.boolean().default(false),
	validationSteps: z.array(validationStepSchema).default(["screenshot"]),
	allowQuickRestore: z.boolean().default(false),
	allowExtractFile: z.boolean().default(false),
	/** Unset: the setting `backup.chain.size`. 1 = always full; below 1 = endless. */
	backupChainSize: z.number().int().optional(),
	tracker: z.enum(["overlay", "bitmap", "auto"]).default("overlay"),
	/** Id of a repository; unset: a selector chooses. */
	repository: uuidSchema.optional(),
	retention: retentionSchema.optional(),
});
export type OfferingFields = z.infer<typeof offeringFieldsSchema>;

/** A named policy that a VM is assigned to. A deleted one stays readable, with `removedAt`. */
export const offeringSchema = offeringFieldsSchema.extend({
	id: uuidSchema,
	createdAt: instantSchema,
	removedAt: instantSchema.optional(),
});
export type Offering = z.infer<typeof offeringSchema>;

/** The steps of a validation in the order in which they run, whatever the order they were named in (SPEC 5.3). */
export const orderedSteps = (steps: readonly ValidationStep[]): readonly ValidationStep[] =>
	validationStepSchema.options.filter((step) => steps.includes(step));
