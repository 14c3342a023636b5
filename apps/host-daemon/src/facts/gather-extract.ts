// Reads what an extraction of files depends on: the backup in its repository, and the directory that is to get the files.
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ExtractFacts, ExtractFilesRequest } from "@knib/core";
import { namesIn } from "../files/place-files.ts";
import type { JobDeps } from "../jobs/context.ts";
import { errnoOf } from "../repository/errno.ts";
import { findInRepository } from "./gather-restore.ts";

const writable = async (directory: string): Promise<string | null> => {
	try {
		if (!(await stat(directory)).isDirectory()) return `${directory} is no directory`;
		await access(directory, constants.W_OK | constants.X_OK);
		return null;
	} catch (thrown) {
		if (errnoOf(thrown) === "ENOENT") return `${directory} does not exist`;
		return `nothing can be written to ${directory} (${errnoOf(thrown) ?? String(thrown)})`;
	}
};

const gatherDirectory = async (path: string): Promise<ExtractFacts["directory"]> => {
	try {
		await stat(path);
	} catch (thrown) {
		if (errnoOf(thrown) === "ENOENT") {
			return { state: "missing", problem: await writable(dirname(path)), taken: [] };
		}
	}
	const problem = await writable(path);
	const taken = problem === null ? await namesIn(path) : [];
	return { state: "there", problem, taken: taken.map((name) => name.toString("latin1")) };
};

/** Everything that decides an extraction. Rejects with NOT_FOUND or AMBIGUOUS_ID for the backup's id, and with the error of a repository that does not answer. */
export const gatherExtract = async (
	deps: JobDeps,
	request: ExtractFilesRequest,
): Promise<ExtractFacts> => {
	const view = await deps.catalog.findBackup(request.backup);
	return {
		request,
		view: { id: view.id, vm: view.vm, status: view.status },
		found: await findInRepository(deps, view),
		directory: await gatherDirectory(request.directory),
		uuid: deps.ids.uuid(),
	};
};
