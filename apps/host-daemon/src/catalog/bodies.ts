// The bodies of the documents that the catalog keeps.
import {
	restorePromiseSchema,
	storedBackupSchema,
	storedChainSchema,
	uuidSchema,
	vmPolicySchema,
} from "@knib/core";
import { z } from "zod";

/** A VM's assignment and what was set for it; `id` is the VM's uuid. */
export const vmBodySchema = z.object({
	id: uuidSchema,
	/** Id of the offering it was assigned to; absent: the default one. */
	offering: uuidSchema.optional(),
	policy: vmPolicySchema.default({}),
	notes: z.array(z.string()).default([]),
	promise: restorePromiseSchema.optional(),
});
export type VmBody = z.infer<typeof vmBodySchema>;

/** The values that one scope sets; `id` is `cluster`, `host:<host id>` or `vm:<uuid>`. */
export const settingsBodySchema = z.object({
	id: z.string(),
	values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type SettingsBody = z.infer<typeof settingsBodySchema>;

/** A repository as all hosts know it. */
export const repositoryBodySchema = z.object({ id: uuidSchema, name: z.string() });
export type RepositoryBody = z.infer<typeof repositoryBodySchema>;

/** A host and where it finds repositories; written by that host alone. */
export const hostBodySchema = z.object({
	id: z.string(),
	name: z.string(),
	repositories: z.record(
		uuidSchema,
		z.object({ path: z.string(), default: z.boolean(), addedAt: z.string() }),
	),
});
export type HostBody = z.infer<typeof hostBodySchema>;

/** A backup's view, with where it lies in its repository. */
export const backupBodySchema = storedBackupSchema.extend({
	repositoryId: uuidSchema.nullable(),
	/** Below the repository's directory. */
	directory: z.string().nullable(),
});
export type BackupBody = z.infer<typeof backupBodySchema>;

export const chainBodySchema = storedChainSchema.extend({ repositoryId: uuidSchema });
export type ChainBody = z.infer<typeof chainBodySchema>;
