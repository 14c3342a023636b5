import { resolve } from "node:path";
import { KnibError, type Repository } from "@knib/core";
import type { RepositoryDriver } from "../catalog/repository-book.ts";
import { createRepository, isVacant } from "./create-repository.ts";
import { createRepositoryFiles } from "./files.ts";
import { layoutOf } from "./layout.ts";
import type { LeaseSightings } from "./lease.ts";
import { openRepository } from "./open-repository.ts";
import { readRepositoryFile } from "./repository-file.ts";
import type { RepositoryDeps } from "./repository-options.ts";
import { answerWithin } from "./repository-state.ts";

/** How the catalog reaches repositories on file systems. One driver a process: what it has seen of other hosts' leases outlives each opening. */
export const createRepositoryDriver = (
	given: Omit<RepositoryDeps, "sightings">,
): RepositoryDriver => {
	const sightings: LeaseSightings = new Map();
	const deps: RepositoryDeps = { ...given, sightings };

	const inspect = async (path: string): Promise<"repository" | "empty"> => {
		const layout = layoutOf(resolve(path));
		const files = createRepositoryFiles({ root: layout.root });
		if ((await files.list(layout.root)) === undefined) return "empty";
		const isMade = (await files.look(layout.identity)) !== undefined;
		if (isMade || !(await isVacant(files, layout))) {
			await readRepositoryFile(files, layout);
			return "repository";
		}
		return "empty";
	};

	const open = (path: string): Promise<Repository> => openRepository({ ...deps, path });

	return {
		open,
		inspect: (path) => answerWithin(path, inspect(path)),
		openOrCreate: async (path, name) => {
			if ((await inspect(path)) === "repository") {
				return { repository: await open(path), created: false };
			}
			try {
				return { repository: await createRepository({ ...deps, path, name }), created: true };
			} catch (thrown) {
				if (!(thrown instanceof KnibError) || thrown.code !== "EXISTS") throw thrown;
				return { repository: await open(path), created: false };
			}
		},
	};
};
