// Facts of a backup that change after its publication, each in a small file beside the manifest (docs/spec/repository.md).
import { type BackupMarks, backupMarksSchema, type Manifest } from "@knib/core";
import type { z } from "zod";
import type { RepositoryFiles } from "./files.ts";
import { jsonText, readJson } from "./json-file.ts";

const { removed, pinned, proofs, compression, validation } = backupMarksSchema.shape;

/** File of each mark in the backup's directory. */
export const MARK_FILES = {
	removed: "removed.json",
	pinned: "pin.json",
	proofs: "proofs.json",
	compression: "compression.json",
	validation: "validation/latest.json",
} as const satisfies Record<keyof BackupMarks, string>;

/** Marks of a backup that nothing has been written of. */
export const freshMarks = (manifest: Manifest): BackupMarks => {
	const compressed = manifest.generation.layers.some((layer) => layer.compression !== null);
	return {
		removed: null,
		pinned: null,
		proofs: [],
		compression: { status: compressed ? "Compressed" : "Uncompressed", message: null },
		validation: { status: "NotValidated", message: null, steps: [] },
	};
};

/** Where a mark cannot be read it is taken for the one that keeps the backup and promises nothing. */
const cautious = (at: string): BackupMarks => ({
	removed: null,
	pinned: { at, by: "pin.json cannot be read" },
	proofs: [],
	compression: { status: "CompressionError", message: "compression.json cannot be read" },
	validation: {
		status: "UnableToValidate",
		message: "validation/latest.json cannot be read",
		steps: [],
	},
});

/** Marks with what could not be trusted of them. */
export type MarksRead = { readonly marks: BackupMarks; readonly problems: readonly string[] };

/** Reads the marks of the backup in `directory`; `names` are the entries of that directory. */
export const readMarks = async (
	files: RepositoryFiles,
	directory: string,
	names: ReadonlySet<string>,
	manifest: Manifest,
): Promise<MarksRead> => {
	const problems: string[] = [];
	const fresh = freshMarks(manifest);
	const doubt = cautious(manifest.createdAt);
	const read = async <K extends keyof BackupMarks>(
		key: K,
		schema: z.ZodType<BackupMarks[K]>,
	): Promise<BackupMarks[K]> => {
		const file = MARK_FILES[key];
		if (!names.has(file.split("/")[0] ?? file)) return fresh[key];
		const mark = await readJson(files, `${directory}/${file}`, schema);
		if (mark === undefined) return fresh[key];
		if ("value" in mark) return mark.value;
		problems.push(`${directory}/${file} ${mark.problem}`);
		return doubt[key];
	};
	const marks = {
		removed: await read("removed", removed),
		pinned: await read("pinned", pinned),
		proofs: await read("proofs", proofs),
		compression: await read("compression", compression),
		validation: await read("validation", validation),
	};
	return { marks, problems };
};

/** Writes the marks given, each in one act; null takes a mark away. */
export const writeMarks = async (
	files: RepositoryFiles,
	directory: string,
	marks: Partial<BackupMarks>,
): Promise<void> => {
	const write = async (file: string, mark: unknown): Promise<void> => {
		if (mark === undefined) return;
		if (mark === null) await files.remove(`${directory}/${file}`);
		else await files.writeText(`${directory}/${file}`, jsonText(mark));
	};
	if (marks.validation !== undefined) await files.makeDirectory(`${directory}/validation`);
	await write(MARK_FILES.removed, marks.removed);
	await write(MARK_FILES.pinned, marks.pinned);
	await write(MARK_FILES.proofs, marks.proofs);
	await write(MARK_FILES.compression, marks.compression);
	await write(MARK_FILES.validation, marks.validation);
};
