// What a validation reports: one line a step, as it is kept beside the backup and shown by `backup show`.
import { z } from "zod";
import { type Proof, type ProofLevel, proofLevelSchema } from "./chain.ts";
import { instantSchema, uuidSchema } from "./ids.ts";

/** Steps as reports name them: those of an offering, and the digests that come before them. */
export const validationReportStepSchema = z.enum([
	"digest",
	"wait_for_boot",
	"screenshot",
	"execute_command",
]);
export type ValidationReportStep = z.infer<typeof validationReportStepSchema>;

/** How one step of a validation went. `output` is what the guest's command printed, capped, control characters escaped. */
export const validationStepReportSchema = z.strictObject({
	step: validationReportStepSchema,
	ok: z.boolean(),
	/** It was configured but there was nothing to do: counts as passed. */
	skipped: z.boolean(),
	message: z.string(),
	durationMs: z.number().int().nonnegative(),
	output: z.string().nullable(),
});
export type ValidationStepReport = z.infer<typeof validationStepReportSchema>;

/** `validation/<time>/report.json` of a backup. */
export const validationReportSchema = z.strictObject({
	at: instantSchema,
	host: z.strictObject({ id: z.string(), name: z.string() }),
	job: uuidSchema,
	backup: uuidSchema,
	status: z.enum(["Valid", "NotValid"]),
	message: z.string().nullable(),
	steps: z.array(validationStepReportSchema),
	/** From start to the agent's first answer, ms; null when nobody waited for it or it did not come. */
	agentMs: z.number().int().nonnegative().nullable(),
	/** From start to the end of the command that passed, ms. */
	answerMs: z.number().int().nonnegative().nullable(),
	/** What the definition of the backup had and the throw-away VM had not, in words. */
	dropped: z.array(z.string()),
	/** `kvm` or `qemu`; null when no VM was started. */
	accelerator: z.enum(["kvm", "qemu"]).nullable(),
});
export type ValidationReport = z.infer<typeof validationReportSchema>;

/** How fast a VM comes back, as its last validations measured it. Null where it was not measured yet. */
export const restorePromiseSchema = z.object({
	bootMs: z.number().nullable(),
	answerMs: z.number().nullable(),
	pullBytesPerSecond: z.number().nullable(),
});
export type RestorePromise = z.infer<typeof restorePromiseSchema>;

/** A promise with what was measured anew; null values leave the older ones. Null when nothing was ever measured. */
export const renewPromise = (
	before: RestorePromise | null,
	measured: Partial<RestorePromise>,
): RestorePromise | null => {
	const next = {
		bootMs: measured.bootMs ?? before?.bootMs ?? null,
		answerMs: measured.answerMs ?? before?.answerMs ?? null,
		pullBytesPerSecond: measured.pullBytesPerSecond ?? before?.pullBytesPerSecond ?? null,
	};
	return Object.values(next).every((value) => value === null) ? null : next;
};

/** Levels from the weakest to the strongest. */
export const PROOF_LEVELS: readonly ProofLevel[] = proofLevelSchema.options;

/** The proofs of a backup with new ones among them: the newest of each level, weakest level first. */
export const mergeProofs = (before: readonly Proof[], added: readonly Proof[]): readonly Proof[] =>
	PROOF_LEVELS.flatMap((level) => {
		const newest = [...before, ...added]
			.filter((proof) => proof.level === level)
			.sort((a, b) => (a.at < b.at ? -1 : 1))
			.at(-1);
		return newest === undefined ? [] : [newest];
	});

/** What the reports of a validation prove. `checked` needs the digests, `booted` an agent that answered or a screen judged good, `answered` a command that passed. Each stands on those before it. */
export const provenLevels = (
	steps: readonly ValidationStepReport[],
): readonly { readonly level: ProofLevel; readonly durationMs: number }[] => {
	if (steps.some((step) => !step.ok)) {
		const digest = steps.find((step) => step.step === "digest" && step.ok);
		return digest === undefined ? [] : [{ level: "checked", durationMs: digest.durationMs }];
	}
	const passed = (names: readonly ValidationReportStep[]): number | null => {
		const found = steps.filter((step) => names.includes(step.step) && step.ok && !step.skipped);
		return found.length === 0 ? null : found.reduce((sum, step) => sum + step.durationMs, 0);
	};
	const levels = [
		{ level: "checked", durationMs: passed(["digest"]) },
		{ level: "booted", durationMs: passed(["wait_for_boot", "screenshot", "execute_command"]) },
		{ level: "answered", durationMs: passed(["execute_command"]) },
	] as const;
	return levels.flatMap(({ level, durationMs }) =>
		durationMs === null ? [] : [{ level, durationMs }],
	);
};
