// Puts fetched files in their place: whole trees where nothing is there, file by file into directories that are there. What is there
// and is a link is never followed.
import type { Buffer as Bytes } from "node:buffer";
import { lstat, readdir, rename, rmdir } from "node:fs/promises";
import { KnibError, shownName } from "@knib/core";
import { errnoOf } from "../repository/errno.ts";

const look = async (path: Bytes) =>
	await lstat(path).catch((thrown: unknown) => {
		if (errnoOf(thrown) === "ENOENT") return undefined;
		throw thrown;
	});

const inside = (directory: Bytes, name: Bytes): Bytes =>
	Buffer.concat([directory, Buffer.from("/"), name]);

/** Raw names in a directory. */
export const namesIn = async (directory: string | Bytes): Promise<readonly Bytes[]> =>
	await readdir(directory, { encoding: "buffer" });

const conflict = (path: Bytes, why: string): KnibError =>
	new KnibError("EXISTS", `${shownName(path.toString("latin1"))} ${why}`, {
		details: { hint: "extract to another directory; what was placed before stays" },
	});

/** Moves everything in `from` into `to`, which is a directory. Repeatable: what was moved before is not there any more. Rejects with EXISTS for what is in the way: anything, or with `overwrite` a directory where a file goes and the other way round. */
export const placeFiles = async (from: Bytes, to: Bytes, overwrite: boolean): Promise<void> => {
	for (const name of await namesIn(from)) {
		const [source, place] = [inside(from, name), inside(to, name)];
		const there = await look(place);
		if (there === undefined) {
			await rename(source, place);
			continue;
		}
		if (!overwrite) throw conflict(place, "has come to be there meanwhile");
		const own = await lstat(source);
		if (own.isDirectory() !== there.isDirectory()) {
			throw conflict(place, there.isDirectory() ? "is a directory" : "is no directory");
		}
		if (!own.isDirectory()) await rename(source, place);
		else {
			await placeFiles(source, place, overwrite);
			await rmdir(source);
		}
	}
};
