// Keeps every file operation inside the repository's directory, and says in a KnibError what was attempted when one fails.
import { lstat } from "node:fs/promises";
import { relative } from "node:path";
import { KnibError } from "@knib/core";
import { type Access, errnoOf, repositoryError } from "./errno.ts";

/** Told of each change of the file system just before it is made; what it throws happens instead. Crash tests stop here. */
export type FsHook = (operation: string, path: string) => void;

/** What file operations need to know of their repository. */
export type FileScope = {
	readonly root: string;
	/** Numeric id of the group that qemu's user is in: it may read layers and enter directories (SAFETY F11). */
	readonly group?: number | undefined;
	readonly hook?: FsHook | undefined;
};

/** Swallows the errors with these errnos, for `catch`; throws any other. */
export const unlessErrno = (thrown: unknown, ...errnos: readonly string[]): undefined => {
	if (!errnos.includes(errnoOf(thrown) ?? "")) throw thrown;
	return undefined;
};

const inside = (root: string, path: string): string => {
	const name = relative(root, path);
	if (name !== ".." && !name.startsWith("../") && !name.startsWith("/")) return name;
	throw new KnibError("INTERNAL", `${path} is outside the repository ${root}`);
};

/** Refuses a path that leaves the repository by its spelling or by a symbolic link among its parents. The root itself may be reached by links: the operator named it. */
export const guardPath = async (root: string, path: string): Promise<void> => {
	const parents = inside(root, path).split("/").slice(0, -1);
	let at = root;
	for (const name of parents) {
		at = `${at}/${name}`;
		const stats = await lstat(at).catch((thrown: unknown) => unlessErrno(thrown, "ENOENT"));
		if (stats === undefined) return;
		if (stats.isSymbolicLink()) {
			throw new KnibError(
				"REPOSITORY_INVALID",
				`${at} is a symbolic link, which is not followed inside a repository`,
			);
		}
	}
};

/** Guards a path, runs something on it, and maps what it throws. `attempted` reads as in "cannot …". */
export const attempt = async <T>(
	scope: FileScope,
	what: { readonly access: Access; readonly attempted: string; readonly path: string },
	run: () => Promise<T>,
): Promise<T> => {
	try {
		await guardPath(scope.root, what.path);
		return await run();
	} catch (thrown) {
		throw repositoryError(thrown, what.attempted, what.access);
	}
};
