// Files of a machine that lie beside the layers of a backup. The repository may have been filled by somebody else: links are not
// followed, and nothing large is read (I9).
import { constants } from "node:fs";
import { lstat, open, stat } from "node:fs/promises";
import { KnibError } from "@knib/core";

/** The most that is read of a saved definition, bytes. */
const LARGEST = 1 << 20;

/** Reads a text file that is no link. Rejects with VERIFY_FAILED when it is missing, of another kind or too large. */
export const readSmallFile = async (path: string): Promise<string> => {
	const fail = (cause: unknown): KnibError =>
		new KnibError("VERIFY_FAILED", `${path} cannot be read: ${String(cause)}`, { cause });
	try {
		const handle = await open(
			path,
			constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
		);
		try {
			const facts = await handle.stat();
			if (!facts.isFile() || facts.size > LARGEST) throw new Error("it is no small file");
			return await handle.readFile("utf8");
		} finally {
			await handle.close();
		}
	} catch (error) {
		throw fail(error);
	}
};

/** True for a file that is no link; false for anything else and for what cannot be seen. */
export const isPlainFile = (path: string): Promise<boolean> =>
	lstat(path).then(
		(facts) => facts.isFile(),
		() => false,
	);

/** True for a directory that is no link. */
export const isDirectory = (path: string): Promise<boolean> =>
	lstat(path).then(
		(facts) => facts.isDirectory(),
		() => false,
	);

/** True for a file, also at the end of a link, as firmware packages have them. */
export const isFileThere = (path: string): Promise<boolean> =>
	stat(path).then(
		(facts) => facts.isFile(),
		() => false,
	);
