import type { Dirent } from "node:fs";
import {
	asKnibError,
	type Chain,
	type ChainEnd,
	chainEndSchema,
	type PublishedBackup,
	type TrackerFacts,
	trackerFactsSchema,
} from "@knib/core";
import type { z } from "zod";
import type { RepositoryFiles } from "./files.ts";
import { readJson } from "./json-file.ts";
import { type Layout, parseBackupName } from "./layout.ts";
import { chainProblems } from "./manifest-problems.ts";
import { type BackupRead, readBackup } from "./read-backup.ts";

/** Where chains are read from. */
export type ChainSource = {
	readonly id: string;
	readonly layout: Layout;
	readonly files: RepositoryFiles;
};

/** A file that is refused for what it is (a link, too large) is a problem of its backup; a file system that does not answer is not. */
const refused = (thrown: unknown): { readonly refused: string } => {
	const error = asKnibError(thrown);
	if (error.code === "REPOSITORY_INVALID") return { refused: error.message };
	throw error;
};

const kindOf = (entry: Dirent): string =>
	entry.isSymbolicLink() ? "a symbolic link, which is not followed" : "not a directory";

const readMember = async (
	source: ChainSource,
	place: { readonly vm: string; readonly chain: string },
	entry: Dirent,
): Promise<BackupRead> => {
	const directory = `${source.layout.chain(place.vm, place.chain)}/${entry.name}`;
	if (!entry.isDirectory()) return { problems: [`${directory} is ${kindOf(entry)}`] };
	return readBackup(source.files, directory, { ...place, name: entry.name }).catch(
		(thrown: unknown) => ({ problems: [refused(thrown).refused] }),
	);
};

const readBeside = async <T>(
	source: ChainSource,
	path: string,
	schema: z.ZodType<T>,
	problems: string[],
): Promise<T | null> => {
	const read = await readJson(source.files, path, schema).catch(refused);
	if (read === undefined) return null;
	if ("value" in read) return read.value;
	problems.push("refused" in read ? read.refused : `${path} ${read.problem}`);
	return null;
};

const strangers = (directory: string, entries: readonly Dirent[]): readonly string[] =>
	entries
		.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
		.filter(({ name }) => !name.startsWith(".") && parseBackupName(name) === undefined)
		.filter((entry) => entry.name !== "holds" || entry.isSymbolicLink())
		.map(({ name }) => `${directory}/${name} is none of knib's`);

const bySequence = (a: Dirent, b: Dirent): number =>
	(parseBackupName(a.name)?.sequence ?? 0) - (parseBackupName(b.name)?.sequence ?? 0) ||
	(a.name < b.name ? -1 : 1);

/** Reads one chain with every manifest in it. Rejects when the file system does not answer. */
export const readChain = async (source: ChainSource, vm: string, chain: string): Promise<Chain> => {
	const directory = source.layout.chain(vm, chain);
	const listed = (await source.files.list(directory).catch(refused)) ?? [];
	if ("refused" in listed) {
		const problems = [listed.refused];
		return {
			id: chain,
			vm,
			repository: source.id,
			members: [],
			end: null,
			tracker: null,
			problems,
		};
	}
	const entries = [...listed];
	const backups = entries.filter((entry) => parseBackupName(entry.name) !== undefined);
	const problems = [...strangers(directory, entries)];
	const members: PublishedBackup[] = [];
	for (const entry of backups.sort(bySequence)) {
		const read = await readMember(source, { vm, chain }, entry);
		problems.push(...read.problems);
		if (read.backup !== undefined) members.push(read.backup);
	}
	problems.push(...chainProblems(members.map((member) => member.manifest)));
	const end: ChainEnd | null = await readBeside(
		source,
		`${directory}/ended.json`,
		chainEndSchema,
		problems,
	);
	const tracker: TrackerFacts | null = await readBeside(
		source,
		`${directory}/tracker.json`,
		trackerFactsSchema,
		problems,
	);
	return { id: chain, vm, repository: source.id, members, end, tracker, problems };
};
