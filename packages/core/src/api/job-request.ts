// What a user may ask of the job queue; the same schema parses it on both ends of the control socket.
import { z } from "zod";
import { targetSchema, uuidSchema } from "../domain/ids.ts";
import { validationStepSchema } from "../domain/offering.ts";
import { guestPathSchema, partitionSchema } from "./files.ts";

const vmArgument = z.string().min(1).max(500);

export const backupRequestSchema = z.strictObject({
	type: z.literal("Backup"),
	/** Name or uuid. */
	vm: vmArgument,
	isolated: z.boolean().default(false),
	quiesce: z.boolean().default(false),
	/** Only these disks; empty: all that can be backed up. */
	disks: z.array(targetSchema).default([]),
	excludeDisks: z.array(targetSchema).default([]),
	labels: z.array(z.string().min(1).max(200)).default([]),
});
export type BackupRequest = z.infer<typeof backupRequestSchema>;

export const restoreNewRequestSchema = z.strictObject({
	type: z.literal("Restore"),
	mode: z.literal("new"),
	/** Id of a backup, whole, or a unique part of it. */
	backup: z.string().min(4),
	name: z
		.string()
		.min(1)
		.max(200)
		.regex(/^[^/\p{C}]+$/u, "a VM's name has no slash and no control characters"),
	/** Directory for the new disks; absent: beside where the source's disks were, or libvirt's images. */
	storage: z.string().startsWith("/", "a storage directory is an absolute path").optional(),
	/** Name of a network in the backup, to the name it gets. */
	networks: z.record(z.string(), z.string()).default({}),
	keepMac: z.boolean().default(false),
	start: z.boolean().default(false),
	/** Start it at once over the repository's layers, and pull these in while it runs. */
	quick: z.boolean().default(false),
});
export type RestoreNewRequest = z.infer<typeof restoreNewRequestSchema>;

export const restoreInPlaceRequestSchema = z.strictObject({
	type: z.literal("Restore"),
	mode: z.literal("in-place"),
	/** Id of a backup, whole, or a unique part of it. */
	backup: z.string().min(4),
	/** Shut the VM down when it runs; without it a running VM is refused. */
	shutdown: z.boolean().default(false),
	start: z.boolean().default(false),
	quick: z.boolean().default(false),
});
export type RestoreInPlaceRequest = z.infer<typeof restoreInPlaceRequestSchema>;

/** What is done with the disks that a restore in place has set aside: put back, or deleted. */
export const keptDisksRequestSchema = z.strictObject({
	type: z.literal("Restore"),
	mode: z.enum(["undo", "confirm"]),
	vm: vmArgument,
	/** Id of the restore, the one that its kept files carry in their names; absent: the newest. */
	restore: uuidSchema.optional(),
});
export type KeptDisksRequest = z.infer<typeof keptDisksRequestSchema>;

export const restoreRequestSchema = z.discriminatedUnion("mode", [
	restoreNewRequestSchema,
	restoreInPlaceRequestSchema,
	keptDisksRequestSchema,
]);

/** One disk of a backup as a new disk of a VM. */
export const restoreDiskRequestSchema = z.strictObject({
	type: z.literal("RestoreDisk"),
	/** Id of a backup, whole, or a unique part of it. */
	backup: z.string().min(4),
	/** The disk as the backup names it. */
	disk: targetSchema,
	/** Name or uuid of the VM that gets it, running or not. */
	vm: vmArgument,
	/** Its name in that VM; absent: the first one that is free. */
	target: targetSchema.optional(),
	quick: z.boolean().default(false),
});
export type RestoreDiskRequest = z.infer<typeof restoreDiskRequestSchema>;

/** What a quick restore has left in the repository is pulled into the VM's own disks. */
export const consolidateRequestSchema = z.strictObject({
	type: z.literal("Consolidate"),
	vm: vmArgument,
});
export type ConsolidateRequest = z.infer<typeof consolidateRequestSchema>;

export const finishChainRequestSchema = z.strictObject({
	type: z.literal("FinishChain"),
	vm: vmArgument,
	/** The VM leaves its offering; absent when somebody asked for the end itself. */
	unassigned: z.literal(true).optional(),
});
export type FinishChainRequest = z.infer<typeof finishChainRequestSchema>;

/** Asked for by knibd itself, when an earlier job had to leave a layer. */
export const mergeOverlaysRequestSchema = z.strictObject({
	type: z.literal("MergeOverlays"),
	vm: vmArgument,
});
export type MergeOverlaysRequest = z.infer<typeof mergeOverlaysRequestSchema>;

export const backupValidationRequestSchema = z.strictObject({
	type: z.literal("BackupValidation"),
	/** Id of a backup, whole, or a unique part of it. */
	backup: z.string().min(4),
	/** Instead of those of the offering that the backup was taken under. */
	steps: z.array(validationStepSchema).min(1).optional(),
	/** `digest`: only the layers' digests, no VM. */
	mode: z.enum(["boot", "digest"]).default("boot"),
});
export type BackupValidationRequest = z.infer<typeof backupValidationRequestSchema>;

const backupArgument = z.string().min(4);

export const startCompressionRequestSchema = z.strictObject({
	type: z.literal("StartCompression"),
	/** Id of a backup, whole, or a unique part of it. */
	backup: backupArgument,
	/** Instead of that of the offering. */
	library: z.enum(["zstd", "zlib"]).optional(),
});
export type StartCompressionRequest = z.infer<typeof startCompressionRequestSchema>;

export const finalizeCompressionRequestSchema = z.strictObject({
	type: z.literal("FinalizeCompression"),
	backup: backupArgument,
});
export type FinalizeCompressionRequest = z.infer<typeof finalizeCompressionRequestSchema>;

export const deleteBackupRequestSchema = z.strictObject({
	type: z.literal("DeleteBackup"),
	backup: backupArgument,
	/** Take a backup that others stand on out for real: its data is folded into its child. */
	consolidate: z.boolean().default(false),
});
export type DeleteBackupRequest = z.infer<typeof deleteBackupRequestSchema>;

export const verifyRepositoryRequestSchema = z.strictObject({
	type: z.literal("VerifyRepository"),
	/** Name or id; absent: that of the chain, else the only one that this host knows. */
	repository: z.string().min(1).max(500).optional(),
	/** Id of a chain, whole, or a unique part of it: only this one. */
	chain: z.string().min(4).optional(),
	/** Only the n-th part of the bytes: backups whose last check is the longest ago. */
	share: z.number().int().min(1).max(10_000).optional(),
	/** Bytes per second; 0: no limit. */
	rate: z.number().int().nonnegative().default(0),
});
export type VerifyRepositoryRequest = z.infer<typeof verifyRepositoryRequestSchema>;
export const extractFilesRequestSchema = z.strictObject({
	type: z.literal("ExtractFiles"),
	backup: backupArgument,
	disk: targetSchema,
	/** Absent: the only file system, or the only one that holds the first path. */
	partition: partitionSchema.optional(),
	/** Files and directories, each with all below it. */
	paths: z.array(guestPathSchema).min(1).max(1000),
	/** Directory on the daemon's host that gets them. */
	directory: z
		.string()
		.max(4096)
		.regex(/^\/[^\0]*$/, "the directory for the files is an absolute path"),
	/** Replace files that are there. */
	overwrite: z.boolean().default(false),
});
export type ExtractFilesRequest = z.infer<typeof extractFilesRequestSchema>;

export const jobRequestSchema = z.discriminatedUnion("type", [
	backupRequestSchema,
	restoreRequestSchema,
	restoreDiskRequestSchema,
	consolidateRequestSchema,
	finishChainRequestSchema,
	mergeOverlaysRequestSchema,
	backupValidationRequestSchema,
	startCompressionRequestSchema,
	finalizeCompressionRequestSchema,
	deleteBackupRequestSchema,
	verifyRepositoryRequestSchema,
	extractFilesRequestSchema,
]);
export type JobRequest = z.infer<typeof jobRequestSchema>;
/** A request before its defaults are filled in. */
export type JobRequestInput = z.input<typeof jobRequestSchema>;

/** A job for the host of that name or id. */
export const jobAskInputSchema = z.strictObject({
	host: z.string().min(1).max(500),
	request: jobRequestSchema,
});

/** Which jobs to list; absent fields match all. */
export const jobFilterSchema = z.strictObject({
	id: uuidSchema.optional(),
	vm: z.string().optional(),
	backup: z.string().optional(),
	host: z.string().optional(),
	type: z.string().optional(),
	executing: z.boolean().optional(),
	scheduled: z.boolean().optional(),
});
export type JobFilter = z.infer<typeof jobFilterSchema>;
