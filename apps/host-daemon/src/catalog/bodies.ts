// The bodies of the documents that the catalog keeps.
import {
	restorePromiseSchema,
	storedBackupSchema,
	storedChainSchema,
	uuidSchema,
	vmPolicySchema,
} from "@knib/core";
import { z } from "zod";

const idAt = { id: z.string(), at: z.string() };

/** A VM as its host shows it. */
export const seenVmSchema = z.looseObject({
	uuid: z.string(),
	name: z.string(),
	host: z.string(),
	state: z.string(),
	offering: z.string(),
	disks: z.array(
		z.object({
			target: z.string(),
			path: z.string().nullable(),
			format: z.string().nullable(),
			virtualSize: z.number().nullable(),
			skipped: z.string().nullable(),
		}),
	),
	chain: z.string().nullable(),
	lastBackup: z.object(idAt).nullable(),
	lastProof: z.object({ level: z.string(), at: z.string(), backup: z.string() }).nullable(),
	atRisk: z.array(z.string()),
	notes: z.array(z.string()),
	promise: restorePromiseSchema.nullable(),
});
export type SeenVm = z.infer<typeof seenVmSchema>;

/** A VM's assignment and what was set for it; `id` is the VM's uuid. */
export const vmBodySchema = z.object({
	id: uuidSchema,
	/** Id of the offering it was assigned to; absent: the default one. */
	offering: uuidSchema.optional(),
	policy: vmPolicySchema.default({}),
	notes: z.array(z.string()).default([]),
	promise: restorePromiseSchema.optional(),
	/** How its host last saw it, for the peers; see VmView. */
	seen: seenVmSchema.optional(),
	/** When `seen` was last written. */
	seenAt: z.string().optional(),
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

/** What a host tells its peers of itself. */
export const hostFactsSchema = z.looseObject({
	problems: z.array(z.string()),
	startedAt: z.string().nullable(),
	version: z.string(),
	libvirt: z.string().nullable(),
	qemu: z.string().nullable(),
	scratchDirectory: z.string(),
	vms: z.number().nullable(),
});
export type HostFacts = z.infer<typeof hostFactsSchema>;

/** A host and where it finds repositories; written by that host alone. */
export const hostBodySchema = z.object({
	id: z.string(),
	name: z.string(),
	repositories: z.record(
		uuidSchema,
		z.object({ path: z.string(), default: z.boolean(), addedAt: z.string() }),
	),
	/** Hosts whose codes this one has joined by: their word on roles counts here. */
	anchors: z.array(z.string()).optional(),
	/** What the host last told of itself; see HostView. */
	facts: hostFactsSchema.optional(),
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
