// What qemu-img and the file system say of an image file, as plain data.
import { z } from "zod";
import { bytesSchema, sha256Schema } from "./ids.ts";

/** One image of a backing chain, as its own header says it. */
export type ImageInfo = {
	readonly path: string;
	readonly format: string;
	/** Bytes the guest sees. */
	readonly virtualSize: number;
	/** Bytes allocated on the file system. */
	readonly actualSize: number;
	/** The backing file as an absolute path (resolved against this image's directory), with the format the header names. */
	readonly backing?: { readonly path: string; readonly format?: string };
	/** An external data file that the header names. */
	readonly dataFile?: string;
	/** Names of snapshots inside the image. */
	readonly snapshots: readonly string[];
	readonly clusterSize?: number;
	/** qcow2's `compat`: `0.10` is version 2, `1.1` version 3. */
	readonly compat?: string;
	readonly compressionType?: string;
	readonly extendedL2: boolean;
	readonly encrypted: boolean;
	/** The image was not closed properly, or is marked corrupt. */
	readonly dirty: boolean;
	readonly corrupt: boolean;
};

/** The identity of a file at one moment (SAFETY F15). Times are nanoseconds since 1970 as decimal strings; `fileSystem` survives a reboot, st_dev does not. */
export const fileFactsSchema = z.object({
	path: z.string(),
	kind: z.enum(["file", "block"]),
	inode: z.string(),
	fileSystem: z.string(),
	size: bytesSchema,
	uid: z.number().int(),
	gid: z.number().int(),
	mode: z.number().int(),
	mtime: z.string(),
	ctime: z.string(),
	/** SHA-256 of the first 64 KiB: the qcow2 header with its backing file and extensions. */
	headerDigest: sha256Schema,
	/** SHA-256 of the file's physical extents where the file system tells them; tells a rewrite in place from a mere change of owner. */
	extentsDigest: sha256Schema.optional(),
});
export type FileFacts = z.infer<typeof fileFactsSchema>;

/** A run of bytes that `qemu-img map` reports; `depth` counts from the top image. */
export type Extent = {
	readonly start: number;
	readonly length: number;
	readonly depth: number;
	readonly present: boolean;
	readonly zero: boolean;
	readonly data: boolean;
};
