// The manifest of a backup: everything needed to show, verify and restore it. It is the truth; the store is a view of it (I3).
import { z } from "zod";
import { bytesSchema, instantSchema, sha256Schema, targetSchema, uuidSchema } from "./ids.ts";
import { fileFactsSchema } from "./image.ts";
import { diskFormatSchema } from "./vm.ts";

/** The version of the repository format that this code writes and the newest it reads. */
export const REPOSITORY_FORMAT = 1;

export const backupKindSchema = z.enum(["full", "incremental", "isolated"]);
export type BackupKind = z.infer<typeof backupKindSchema>;

/** What never changes after publication: its digest is how a child knows its parent (I4, SAFETY F8). */
export const identitySchema = z.strictObject({
	id: uuidSchema,
	vm: uuidSchema,
	chain: uuidSchema,
	/** Position in the chain, from 1. */
	sequence: z.number().int().positive(),
	pointInTime: instantSchema,
	disks: z.array(z.strictObject({ target: targetSchema, virtualSize: bytesSchema })),
	/** 32 random bytes in hex. */
	nonce: z.string().regex(/^[0-9a-f]{64}$/),
	/** Fencing number of the lease under which it was made (I6). */
	fencing: z.number().int().nonnegative(),
});
export type Identity = z.infer<typeof identitySchema>;

/** One disk's file in the backup's directory, in the current generation. */
export const layerSchema = z.strictObject({
	target: targetSchema,
	/** File name in the backup's directory. */
	file: z.string().regex(/^[a-z][a-z0-9]{1,15}\.qcow2$/),
	/** Apparent bytes of the file, as `SHA256SUMS` covers them. */
	size: bytesSchema,
	/** Bytes allocated on the repository's file system. */
	allocated: bytesSchema,
	/** Bytes allocated before compression. */
	uncompressedSize: bytesSchema,
	virtualSize: bytesSchema,
	sha256: sha256Schema,
	/** SHA-256 of the first 64 KiB. */
	headerDigest: sha256Schema,
	/** Backing file as the qcow2 header names it, relative to the backup's directory; null for a self-contained layer. */
	backing: z.string().nullable(),
	compression: z.enum(["zstd", "zlib"]).nullable(),
	/** The VM's own image was qcow2 version 2: whoever reads it may know zlib only (SPEC 4.1). Absent for any other. */
	source: z.literal("qcow2 version 2").optional(),
});
export type Layer = z.infer<typeof layerSchema>;

/** The bytes of a backup; compression and consolidation publish the next number. */
export const generationSchema = z.strictObject({
	number: z.number().int().positive(),
	publishedAt: instantSchema,
	layers: z.array(layerSchema).min(1),
});

export type Generation = z.infer<typeof generationSchema>;

/** What the overlay tracker knew of one disk when it switched to a new overlay. */
export const trackedDiskSchema = z.strictObject({
	target: targetSchema,
	/** The image that was frozen by the switch: everything above it belongs to the next increment. */
	frozen: z.strictObject({ path: z.string(), format: diskFormatSchema }),
	/** The overlay that has collected the writes since; absent where none was left in place. */
	overlay: z.strictObject({ path: z.string() }).optional(),
});
export type TrackedDisk = z.infer<typeof trackedDiskSchema>;

/** A disk that was left out, and why. */
export const skippedDiskSchema = z.strictObject({ target: z.string(), reason: z.string() });
export type SkippedDisk = z.infer<typeof skippedDiskSchema>;

export const consistencySchema = z.enum([
	"crash-consistent",
	"quiesced",
	"crash-consistent: thawed early",
	"shut off",
	"saved state not included",
]);
export type Consistency = z.infer<typeof consistencySchema>;

/** `manifest.json` of a published backup. */
export const manifestSchema = z.strictObject({
	format: z.literal(REPOSITORY_FORMAT),
	identity: identitySchema,
	identityDigest: sha256Schema,
	parent: z.strictObject({ id: uuidSchema, identityDigest: sha256Schema }).nullable(),
	kind: backupKindSchema,
	/** Why it is full or incremental, in words (I7). */
	reason: z.string(),
	vm: z.strictObject({ uuid: uuidSchema, name: z.string(), state: z.string() }),
	host: z.strictObject({ id: z.string(), name: z.string() }),
	repository: z.strictObject({ id: uuidSchema, name: z.string() }),
	createdAt: instantSchema,
	consistency: consistencySchema,
	labels: z.array(z.string()),
	/** The offering as it was when the backup was taken: a backup is judged by it (SPEC 1). */
	offering: z.looseObject({ id: uuidSchema, name: z.string() }),
	generation: generationSchema,
	tracker: z.strictObject({ kind: z.literal("overlay"), disks: z.array(trackedDiskSchema) }),
	skipped: z.array(skippedDiskSchema),
	/** Files of the machine beside the layers, and what the definition names outside itself. */
	machine: z.strictObject({
		files: z.array(z.string()),
		networks: z.array(z.string()),
		pools: z.array(z.string()),
	}),
	/** Why this backup ended its chain, when it did so by itself. */
	endsChain: z.string().nullable(),
	versions: z.strictObject({ knib: z.string(), libvirt: z.string(), qemu: z.string() }),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The files of one disk at a moment when nothing but its overlay was written. */
export const trackedFilesSchema = z.strictObject({
	target: targetSchema,
	virtualSize: bytesSchema,
	/** The overlay in use; its size, times and digests move on with every write, its file id and backing file do not. */
	overlay: z.strictObject({ path: z.string(), inode: z.string(), fileSystem: z.string() }),
	/** Every file below the overlay, from the frozen layer down, data files included. */
	below: z.array(fileFactsSchema),
});
export type TrackedFiles = z.infer<typeof trackedFilesSchema>;

/** `tracker.json` of a chain: the files of the VM's disks as the last mutation left them. What differs later was changed by somebody else (SAFETY F15). */
export const trackerFactsSchema = z.strictObject({
	format: z.literal(REPOSITORY_FORMAT),
	/** The chain's newest backup; the overlays collect what came after it. */
	backup: uuidSchema,
	identityDigest: sha256Schema,
	host: z.string(),
	recordedAt: instantSchema,
	/** The run of the VM's process at that moment; absent when it was off. */
	run: z.string().optional(),
	disks: z.array(trackedFilesSchema),
});
export type TrackerFacts = z.infer<typeof trackerFactsSchema>;
