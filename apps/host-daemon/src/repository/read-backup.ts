import { type Manifest, manifestSchema, type PublishedBackup, REPOSITORY_FORMAT } from "@knib/core";
import { z } from "zod";
import { parseChecksums, sha256 } from "./checksums.ts";
import type { RepositoryFiles } from "./files.ts";
import { parseJsonText } from "./json-file.ts";
import { manifestProblem, type Place } from "./manifest-problems.ts";
import { readMarks } from "./marks.ts";
import { manifestDuring, readSwitch, SWITCH_FILE } from "./switch-file.ts";

/** A backup's directory as read: the backup when its manifest can be trusted, and what cannot be. */
export type BackupRead = {
	readonly backup?: PublishedBackup;
	readonly problems: readonly string[];
};

const formatSchema = z.looseObject({ format: z.number() });

const parseManifestText = (
	text: string,
	place: Place,
): { readonly value: Manifest } | { readonly problem: string } => {
	const format = parseJsonText(text, formatSchema);
	if ("value" in format && format.value.format > REPOSITORY_FORMAT) {
		return { problem: `is of the format ${format.value.format}, which a newer knib has written` };
	}
	const parsed = parseJsonText(text, manifestSchema);
	if ("problem" in parsed) return parsed;
	const problem = manifestProblem(parsed.value, place);
	return problem === undefined ? parsed : { problem };
};

/** Compares a manifest with `SHA256SUMS` beside it. While a generation is being switched the two may differ for a moment (SAFETY F8). */
const sumsProblem = async (
	files: RepositoryFiles,
	directory: string,
	names: ReadonlySet<string>,
	read: { readonly text: string; readonly manifest: Manifest },
): Promise<string | undefined> => {
	if (names.has(SWITCH_FILE)) return undefined;
	const text = await files.readText(`${directory}/SHA256SUMS`);
	if (text === undefined) return `${directory}/SHA256SUMS is missing`;
	const sums = parseChecksums(text);
	if (sums === undefined) return `${directory}/SHA256SUMS cannot be read`;
	if (sums.get("manifest.json") !== sha256(read.text)) {
		return `${directory}/manifest.json was changed after it was published (SHA256SUMS says another digest)`;
	}
	const strange = read.manifest.generation.layers.find(
		(layer) => sums.get(layer.file) !== layer.sha256,
	);
	return strange === undefined
		? undefined
		: `${directory}/SHA256SUMS says another digest of ${strange.file} than the manifest`;
};

/** The manifest, with the layers that are in place at this moment while a switch is under way. */
const manifestNow = async (
	files: RepositoryFiles,
	directory: string,
	names: ReadonlySet<string>,
	manifest: Manifest,
): Promise<Manifest> => {
	if (!names.has(SWITCH_FILE)) return manifest;
	const current = await readSwitch(files, directory);
	if (current === undefined || "problem" in current) return manifest;
	return await manifestDuring(files, directory, manifest, current);
};

/** Reads one published backup. Rejects when the file system does not answer; what cannot be trusted is a problem, not a rejection. */
export const readBackup = async (
	files: RepositoryFiles,
	directory: string,
	place: Place,
): Promise<BackupRead> => {
	const names = new Set(((await files.list(directory)) ?? []).map((entry) => entry.name));
	const text = names.has("manifest.json")
		? await files.readText(`${directory}/manifest.json`)
		: undefined;
	if (text === undefined) return { problems: [`${directory}/manifest.json is missing`] };
	const parsed = parseManifestText(text, place);
	if ("problem" in parsed) return { problems: [`${directory}/manifest.json ${parsed.problem}`] };
	const manifest = await manifestNow(files, directory, names, parsed.value);
	const problem = await sumsProblem(files, directory, names, { text, manifest });
	if (problem !== undefined) return { problems: [problem] };
	const { marks, problems } = await readMarks(files, directory, names, manifest);
	return { backup: { manifest, marks, path: directory }, problems };
};
