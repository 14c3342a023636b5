import type { RepositoryView } from "@knib/core";
import { facts } from "./table.ts";
import { size } from "./text.ts";

/** All that is known of a repository. */
export const repositoryText = (repository: RepositoryView): string =>
	facts([
		["name", repository.name],
		["id", repository.id],
		["path", repository.path],
		["state", repository.state],
		["message", repository.message],
		["default", repository.default ? "yes" : "no"],
		[
			"free",
			repository.capacity === 0 ? null : `${size(repository.free)} of ${size(repository.capacity)}`,
		],
		["backups", repository.backups],
		["chains", repository.chains],
	]);
