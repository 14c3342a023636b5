import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { KnibError, type RepositoryState } from "@knib/core";
import { errnoOf, repositoryError } from "./errno.ts";
import type { Layout } from "./layout.ts";

/** How long a repository may take to say what it is, ms; a hung mount never answers at all. */
const ANSWER_MS = 30_000;

/** Rejects with REPOSITORY_UNREACHABLE when `work` takes longer than `ms`; the work itself cannot be stopped. */
export const answerWithin = async <T>(
	path: string,
	work: Promise<T>,
	ms: number = ANSWER_MS,
): Promise<T> => {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_resolve, reject) => {
		const words = `${path} has not answered for ${ms / 1000} seconds`;
		timer = setTimeout(() => reject(new KnibError("REPOSITORY_UNREACHABLE", words)), ms);
	});
	try {
		return await Promise.race([work, late]);
	} finally {
		clearTimeout(timer);
	}
};

const canWrite = async (directory: string): Promise<boolean> =>
	access(directory, constants.W_OK | constants.X_OK).then(
		() => true,
		(thrown: unknown) => {
			if (["EROFS", "EACCES", "EPERM", "ENOENT"].includes(errnoOf(thrown) ?? "")) return false;
			throw repositoryError(thrown, `look at ${directory}`, "read");
		},
	);

/** Capacity, free bytes and whether backups can be put there. Over a network the server itself answers whether it may be written. */
export const readRepositoryState = async (layout: Layout, id: string): Promise<RepositoryState> => {
	const space = await statfs(layout.root).catch((thrown: unknown) => {
		throw repositoryError(thrown, `look at ${layout.root}`, "read");
	});
	const writable = (await canWrite(layout.incoming)) && (await canWrite(layout.vms));
	return {
		id,
		path: layout.root,
		capacity: space.blocks * space.bsize,
		free: space.bavail * space.bsize,
		writable,
	};
};
