// What the commands of the control API take, apart from jobs; the same schemas parse on both ends of the socket. Every input
// that changes something has `dryRun`: the answer is then the plan and nothing is changed.
import { z } from "zod";
import { offeringFieldsSchema } from "../domain/offering.ts";

const argument = z.string().min(1).max(500);
const dryRun = z.boolean().default(false);

export const vmInputSchema = z.strictObject({ vm: argument });
export const vmAssignInputSchema = z.strictObject({ vm: argument, offering: argument, dryRun });
export const vmSetInputSchema = z.strictObject({
	vm: argument,
	/** Key to value as the user writes it; an empty value takes the key away. */
	values: z.record(z.string(), z.string().max(10_000)),
	dryRun,
});

/** The fields of an offering as a request names them: the repository by name or id, and null to take a field away. */
export const offeringInputSchema = offeringFieldsSchema
	.omit({ name: true, repository: true })
	.extend({ repository: argument.optional() });
export const offeringCreateInputSchema = offeringInputSchema.extend({
	name: offeringFieldsSchema.shape.name,
	dryRun,
});
export type OfferingCreateInput = z.infer<typeof offeringCreateInputSchema>;

const fields = offeringFieldsSchema.shape;
/** A change of an offering: what is absent stays as it is. */
export const offeringChangesSchema = z.strictObject({
	name: fields.name.optional(),
	description: fields.description.unwrap().optional(),
	compress: z.boolean().optional(),
	compressionLibrary: fields.compressionLibrary.unwrap().optional(),
	compressWhen: fields.compressWhen.unwrap().optional(),
	validate: z.boolean().optional(),
	validationSteps: fields.validationSteps.unwrap().optional(),
	allowQuickRestore: z.boolean().optional(),
	allowExtractFile: z.boolean().optional(),
	backupChainSize: z.number().int().nullable().optional(),
	tracker: fields.tracker.unwrap().optional(),
	repository: argument.nullable().optional(),
	retention: fields.retention.unwrap().nullable().optional(),
});
export type OfferingChanges = z.infer<typeof offeringChangesSchema>;
export const offeringUpdateInputSchema = z.strictObject({
	offering: argument,
	changes: offeringChangesSchema,
	dryRun,
});
export const offeringCloneInputSchema = z.strictObject({
	offering: argument,
	name: fields.name,
	dryRun,
});
export const offeringDeleteInputSchema = z.strictObject({ offering: argument, dryRun });
export const offeringInputRefSchema = z.strictObject({ offering: argument });
export const offeringFilterSchema = z.strictObject({
	id: argument.optional(),
	compress: z.boolean().optional(),
	validate: z.boolean().optional(),
	allowQuickRestore: z.boolean().optional(),
	allowExtractFile: z.boolean().optional(),
	showRemoved: z.boolean().default(false),
});
export type OfferingFilter = z.infer<typeof offeringFilterSchema>;

export const repositoryAddInputSchema = z.strictObject({
	name: fields.name,
	path: z
		.string()
		.max(4096)
		.regex(/^\/[^\p{C}]*$/u, "a repository's path is absolute"),
	/** Make it the one that is taken when neither offering nor selector names one. */
	default: z.boolean().default(false),
	dryRun,
});
export const repositoryInputSchema = z.strictObject({ repository: argument });
export const repositoryRescanInputSchema = z.strictObject({
	/** Absent: all repositories. */
	repository: argument.optional(),
});
export const repositoryRemoveInputSchema = z.strictObject({ repository: argument, dryRun });

export const hostInputSchema = z.strictObject({ host: argument });

export const backupFilterSchema = z.strictObject({
	vm: argument.optional(),
	chain: argument.optional(),
	/** Also failed, removed and expunged ones. */
	all: z.boolean().default(false),
});
export type BackupFilter = z.infer<typeof backupFilterSchema>;
/** Which part of all backups, removed and failed ones too, is wanted. */
export const backupPageInputSchema = z.strictObject({
	vm: argument.optional(),
	/** `next` of the page before. */
	after: argument.optional(),
	limit: z.number().int().min(1).max(5000).default(2000),
});
export const backupInputSchema = z.strictObject({
	/** Whole id, a unique part of it, or `latest` together with `vm`. */
	backup: argument,
	vm: argument.optional(),
});
export const backupChangeInputSchema = z.strictObject({ backup: argument, dryRun });
export const chainFilterSchema = z.strictObject({ vm: argument.optional() });
export const chainInputSchema = z.strictObject({ chain: argument });

export const jobInputSchema = z.strictObject({ job: argument });

/** Where a setting is meant: at most one of host and VM; neither means the cluster. */
const scope = { host: argument.optional(), vm: argument.optional() };
const oneScope = (input: { host?: string | undefined; vm?: string | undefined }) =>
	input.host === undefined || input.vm === undefined;
const ONE_SCOPE = "give either a host or a VM, not both";
export const settingsListInputSchema = z.strictObject({
	/** Show what counts for this VM. */
	effective: argument.optional(),
	...scope,
});
export const settingInputSchema = z
	.strictObject({ name: argument, ...scope })
	.refine(oneScope, ONE_SCOPE);
export const settingSetInputSchema = z
	.strictObject({ name: argument, value: z.string().max(5000), ...scope, dryRun })
	.refine(oneScope, ONE_SCOPE);
export const settingUnsetInputSchema = z
	.strictObject({ name: argument, ...scope, dryRun })
	.refine(oneScope, ONE_SCOPE);
export type SettingScopeInput = {
	readonly host?: string | undefined;
	readonly vm?: string | undefined;
};

export const initInputSchema = z.strictObject({
	repository: z
		.strictObject({ name: fields.name, path: repositoryAddInputSchema.shape.path })
		.optional(),
	dryRun,
});
export type InitInput = z.infer<typeof initInputSchema>;

export const retentionInputSchema = z.strictObject({
	/** Absent: every VM that this host has backed up. */
	vm: argument.optional(),
});
