// `switch.json`: what a replacement of layers is about, published in the backup's directory before the first rename, so that any host
// can finish or undo it (SAFETY F8). While it is there each layer is the old one or the new one; both read the same.
import {
	bytesSchema,
	generationSchema,
	instantSchema,
	type Manifest,
	manifestSchema,
	targetSchema,
} from "@knib/core";
import { z } from "zod";
import { sha256 } from "./checksums.ts";
import type { RepositoryFiles } from "./files.ts";
import { readJson } from "./json-file.ts";
import { HEADER_BYTES } from "./qcow2-header.ts";

const parentSchema = manifestSchema.shape.parent.unwrap();

export const SWITCH_FILE = "switch.json";

export const switchFileSchema = z.strictObject({
	format: z.literal(1),
	host: z.string(),
	at: instantSchema,
	/** The generation that is published now, and the one that takes its place. */
	from: generationSchema,
	to: generationSchema,
	/** Layers that are replaced: the file in the backup's directory, and the new one beside it. */
	layers: z.array(
		z.strictObject({
			target: targetSchema,
			file: z.string(),
			compressed: z.string(),
			size: bytesSchema,
		}),
	),
	/** The parent before and after, where a backup between the two is folded into this one. */
	parent: z.strictObject({ from: parentSchema, to: parentSchema }).optional(),
	/** Name of the directory in the trash that takes the old layers. */
	trash: z.string().regex(/^[0-9TZ]+-[0-9a-f-]{36}\.g\d+$/),
});
export type SwitchFile = z.infer<typeof switchFileSchema>;

/** The switch that is under way in a directory; undefined when there is none. Rejects when the file cannot be trusted. */
export const readSwitch = async (
	files: RepositoryFiles,
	directory: string,
): Promise<SwitchFile | { readonly problem: string } | undefined> => {
	const read = await readJson(files, `${directory}/${SWITCH_FILE}`, switchFileSchema);
	if (read === undefined) return undefined;
	return "value" in read ? read.value : { problem: `${directory}/${SWITCH_FILE} ${read.problem}` };
};

/** Digest of a layer's first bytes as they are now, and its size; undefined when there is no file. */
export const fileMark = async (
	files: RepositoryFiles,
	path: string,
): Promise<{ readonly size: number; readonly headerDigest: string } | undefined> => {
	const start = await files.readStart(path, HEADER_BYTES);
	if (start === undefined) return undefined;
	return { size: start.stats.size, headerDigest: sha256(start.bytes) };
};

/** The manifest with the layers that are in place at this moment of a switch: for each the new one where its header says so, else the old. */
export const manifestDuring = async (
	files: RepositoryFiles,
	directory: string,
	manifest: Manifest,
	current: SwitchFile,
): Promise<Manifest> => {
	if (manifest.generation.number >= current.to.number) return manifest;
	const layers: Manifest["generation"]["layers"] = [];
	for (const layer of manifest.generation.layers) {
		const next = current.to.layers.find((one) => one.target === layer.target);
		const mark = await fileMark(files, `${directory}/${layer.file}`);
		const isNew = next !== undefined && mark?.headerDigest === next.headerDigest;
		layers.push(isNew ? next : layer);
	}
	return { ...manifest, generation: { ...manifest.generation, layers } };
};
