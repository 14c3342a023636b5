import { type Hold, instantSchema, KnibError } from "@knib/core";
import { z } from "zod";
import type { RepositoryFiles } from "./files.ts";
import { jsonText, readJson } from "./json-file.ts";

/** Contents of a hold's file. */
export const holdFileSchema = z.strictObject({
	host: z.string(),
	job: z.string(),
	/** What it is for, in words. */
	why: z.string(),
	since: instantSchema,
});
export type HoldFile = z.infer<typeof holdFileSchema>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.json$/;

/** Puts a hold into a chain's `holds` directory; the same host and job hold once. Releasing is repeatable. Rejects with NOT_FOUND when there is no such chain. */
export const placeHold = async (
	files: RepositoryFiles,
	place: { readonly chain: string; readonly directory: string },
	hold: HoldFile,
): Promise<Hold> => {
	const name = `${hold.host}-${hold.job}.json`;
	if (!NAME.test(name)) throw new KnibError("USAGE", `${name} cannot be the name of a hold`);
	if ((await files.look(place.chain)) === undefined) {
		throw new KnibError("NOT_FOUND", `there is no chain in ${place.chain}`);
	}
	await files.makeDirectory(place.directory);
	const path = `${place.directory}/${name}`;
	await files.writeText(path, jsonText(hold));
	return { release: () => files.remove(path) };
};

/** Who holds a chain, in words. A hold that cannot be read holds all the same. */
export const listHolds = async (
	files: RepositoryFiles,
	directory: string,
): Promise<readonly string[]> => {
	const words: string[] = [];
	for (const { name } of (await files.list(directory)) ?? []) {
		if (!NAME.test(name)) continue;
		const hold = await readJson(files, `${directory}/${name}`, holdFileSchema);
		if (hold === undefined) continue;
		words.push(
			"value" in hold
				? `${hold.value.why} (job ${hold.value.job} on host ${hold.value.host}, since ${hold.value.since})`
				: `a hold that cannot be read: ${directory}/${name}`,
		);
	}
	return words;
};
