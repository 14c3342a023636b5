// `knib-repository.json`: what makes a directory a repository, and how one is told from a mount point that nothing is mounted on.
import { stat } from "node:fs/promises";
import { instantSchema, KnibError, REPOSITORY_FORMAT, uuidSchema } from "@knib/core";
import { z } from "zod";
import { errnoOf, repositoryError } from "./errno.ts";
import type { RepositoryFiles } from "./files.ts";
import { parseJsonText } from "./json-file.ts";
import type { Layout } from "./layout.ts";

/** Contents of `knib-repository.json`. */
export const repositoryFileSchema = z.strictObject({
	format: z.literal(REPOSITORY_FORMAT),
	id: uuidSchema,
	/** The name it was given when it was made; a host may know it by another. */
	name: z.string().min(1),
	createdAt: instantSchema,
	/** Id of the host that made it. */
	host: z.string(),
});
export type RepositoryFile = z.infer<typeof repositoryFileSchema>;

const anyFormatSchema = z.looseObject({ format: z.number() });

/** What file systems put into their root by themselves. */
const NOT_OURS = new Set(["lost+found", ".snapshot", ".snapshots", ".zfs"]);

const invalid = (message: string): KnibError => new KnibError("REPOSITORY_INVALID", message);

/** Rejects with words when the path is missing or no directory. */
const assertDirectory = async (path: string): Promise<void> => {
	const stats = await stat(path).catch((thrown: unknown) => {
		if (errnoOf(thrown) === "ENOENT") throw invalid(`the directory ${path} is missing`);
		throw repositoryError(thrown, `look at ${path}`, "read");
	});
	if (!stats.isDirectory()) throw invalid(`${path} is not a directory`);
};

/** Names in a repository's directory that somebody has put there. */
export const namesIn = async (
	files: Pick<RepositoryFiles, "list">,
	path: string,
): Promise<readonly string[]> => {
	const entries = (await files.list(path)) ?? [];
	return entries.map((entry) => entry.name).filter((name) => !NOT_OURS.has(name));
};

const noRepository = async (files: RepositoryFiles, root: string): Promise<KnibError> => {
	const names = await namesIn(files, root);
	return names.length === 0
		? invalid(`${root} is empty: its file system may not be mounted`)
		: invalid(`${root} is not a knib repository: it holds no knib-repository.json`);
};

const parse = (text: string, path: string): RepositoryFile => {
	const format = parseJsonText(text, anyFormatSchema);
	if ("value" in format && format.value.format > REPOSITORY_FORMAT) {
		throw new KnibError(
			"REPOSITORY_FORMAT",
			`${path} is of the format ${format.value.format}; this knib reads up to ${REPOSITORY_FORMAT}`,
			{ details: { found: format.value.format, supported: REPOSITORY_FORMAT } },
		);
	}
	const file = parseJsonText(text, repositoryFileSchema);
	if ("problem" in file) throw invalid(`${path} ${file.problem}`);
	return file.value;
};

/** Reads what the directory says it is. Rejects with REPOSITORY_INVALID (missing, no directory, empty, none of knib's), REPOSITORY_FORMAT, REPOSITORY_UNREACHABLE. */
export const readRepositoryFile = async (
	files: RepositoryFiles,
	layout: Layout,
): Promise<RepositoryFile> => {
	await assertDirectory(layout.root);
	const text = await files.readText(layout.identity);
	if (text === undefined) throw await noRepository(files, layout.root);
	return parse(text, layout.identity);
};

/** Rejects with REPOSITORY_INVALID when another repository than `expected` is mounted there by now. */
export const assertIdentity = (found: RepositoryFile, expected: string, root: string): void => {
	if (found.id === expected) return;
	throw new KnibError(
		"REPOSITORY_INVALID",
		`${root} holds another repository than expected: ${found.name} (${found.id})`,
		{ details: { expected, found: found.id } },
	);
};
