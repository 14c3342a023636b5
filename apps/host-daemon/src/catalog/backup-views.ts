// Views of stored backups, made once for the same bodies: ten thousand take some fifty milliseconds, and each terminal asks every
// few seconds. The store hands out the same body until it is written anew, so that comparing is looking at references.
import type { BackupView } from "@knib/core";
import type { BackupBody } from "./bodies.ts";
import type { KnownRepository } from "./catalog.ts";

/** Views, oldest first, and those of each VM by its uuid. */
export type BackupViews = {
	readonly all: readonly BackupView[];
	readonly ofVm: (uuid: string) => readonly BackupView[];
};

/** A body with the repository's name and the backup's path where the repository is known. */
export const withPath = (body: BackupBody, known: readonly KnownRepository[]): BackupView => {
	const { repositoryId, directory, ...view } = body;
	const repository = known.find((candidate) => candidate.id === repositoryId);
	const path =
		repository === undefined || directory === null ? null : `${repository.path}/${directory}`;
	return { ...view, ...(repository === undefined ? {} : { repository: repository.name }), path };
};

const makeViews = (
	bodies: readonly BackupBody[],
	known: readonly KnownRepository[],
): BackupViews => {
	const all = bodies
		.map((body) => withPath(body, known))
		.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
	const groups = new Map<string, BackupView[]>();
	for (const view of all) {
		const group = groups.get(view.vm.uuid);
		if (group === undefined) groups.set(view.vm.uuid, [view]);
		else group.push(view);
	}
	return { all, ofVm: (uuid) => groups.get(uuid) ?? [] };
};

const sameBodies = (a: readonly BackupBody[], b: readonly BackupBody[]): boolean =>
	a.length === b.length && a.every((body, at) => body === b[at]);

const sameRepositories = (a: readonly KnownRepository[], b: readonly KnownRepository[]): boolean =>
	a.length === b.length &&
	a.every(({ id, name, path }, at) => {
		const other = b[at];
		return other?.id === id && other.name === name && other.path === path;
	});

/** Makes views, or answers those made last where nothing has changed. */
export const createBackupViews = () => {
	let last:
		| {
				readonly bodies: readonly BackupBody[];
				readonly known: readonly KnownRepository[];
				readonly views: BackupViews;
		  }
		| undefined;
	return (bodies: readonly BackupBody[], known: readonly KnownRepository[]): BackupViews => {
		if (
			last !== undefined &&
			sameBodies(last.bodies, bodies) &&
			sameRepositories(last.known, known)
		)
			return last.views;
		last = { bodies, known, views: makeViews(bodies, known) };
		return last.views;
	};
};
