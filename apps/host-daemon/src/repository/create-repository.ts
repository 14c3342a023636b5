import { mkdir, rename, rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { KnibError, REPOSITORY_FORMAT, type Repository } from "@knib/core";
import { errnoOf, repositoryError } from "./errno.ts";
import { isTemporaryName, MODES } from "./file-writes.ts";
import { createRepositoryFiles, type RepositoryFiles } from "./files.ts";
import { jsonText } from "./json-file.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { openRepository } from "./open-repository.ts";
import { README_TEXT } from "./readme-text.ts";
import { namesIn, type RepositoryFile } from "./repository-file.ts";
import type { RepositoryDeps } from "./repository-options.ts";

/** Where a repository is made, and its name. */
export type CreateOptions = RepositoryDeps & { readonly path: string; readonly name: string };

/** What making a repository puts into its directory before it is one; a directory with nothing else is one whose making was cut short. */
const PARTS = new Set(["incoming", "vms", "trash", "README.txt"]);

/** Whether a repository can be made of a directory: true when it holds nothing of anybody. */
export const isVacant = async (files: RepositoryFiles, layout: Layout): Promise<boolean> => {
	for (const name of await namesIn(files, layout.root)) {
		if (isTemporaryName(name) || name === "README.txt") continue;
		if (!PARTS.has(name)) return false;
		if (((await files.list(`${layout.root}/${name}`)) ?? []).length > 0) return false;
	}
	return true;
};

/** Made by single steps, since Node's recursive mkdir takes a read-only file system for a missing directory (24.21). */
const makePath = async (path: string, mode: number): Promise<void> => {
	try {
		await mkdir(path, mode);
	} catch (thrown) {
		if (errnoOf(thrown) === "EEXIST") return;
		if (errnoOf(thrown) !== "ENOENT" || dirname(path) === path) throw thrown;
		await makePath(dirname(path), 0o755);
		await mkdir(path, mode);
	}
};

const makeRoot = (path: string): Promise<void> =>
	makePath(path, MODES.directory).catch((thrown: unknown) => {
		throw repositoryError(thrown, `make the directory ${path}`, "write");
	});

const assertVacant = async (files: RepositoryFiles, layout: Layout): Promise<void> => {
	if ((await files.look(layout.identity)) !== undefined) {
		throw new KnibError("EXISTS", `${layout.root} holds a repository already`);
	}
	if (await isVacant(files, layout)) return;
	throw new KnibError(
		"REPOSITORY_INVALID",
		`${layout.root} is neither empty nor a knib repository`,
		{ details: { hint: "name an empty directory, or one that does not exist yet" } },
	);
};

/** Proves that a rename reaches from `incoming` to the others: btrfs and ZFS can put a data set under each (SAFETY F22). Rejects with REPOSITORY_INVALID. */
export const assertOneFileSystem = async (layout: Layout, nonce: string): Promise<void> => {
	const name = `.probe-${nonce}`;
	let at = `${layout.incoming}/${name}`;
	try {
		await mkdir(at, MODES.directory);
		for (const directory of [layout.vms, layout.trash, layout.incoming]) {
			await rename(at, `${directory}/${name}`);
			at = `${directory}/${name}`;
		}
	} catch (thrown) {
		const crossing = errnoOf(thrown) === "EXDEV";
		if (!crossing) throw repositoryError(thrown, `rename inside ${layout.root}`, "write");
		throw new KnibError(
			"REPOSITORY_INVALID",
			`${layout.root} spans more than one file system or data set: a rename from ${at} fails (EXDEV)`,
			{
				cause: thrown,
				details: { errno: "EXDEV", hint: "incoming, vms and trash must be on one file system" },
			},
		);
	} finally {
		await rmdir(at).catch(() => undefined);
	}
};

/** Makes a repository in a directory that is missing or empty, and opens it. Repeatable when it was cut short. Rejects with EXISTS when there
 * is one, REPOSITORY_INVALID when the directory holds other things or spans file systems, REPOSITORY_READ_ONLY, REPOSITORY_NO_SPACE. */
export const createRepository = async (options: CreateOptions): Promise<Repository> => {
	const { path, name, ...deps } = options;
	const root = resolve(path);
	const layout = layoutOf(root);
	const files = createRepositoryFiles({ root, group: deps.qemuGroup, hook: deps.hook });
	const isNew = (await files.list(root)) === undefined;
	if (isNew) await makeRoot(root);
	await assertVacant(files, layout);
	for (const directory of [layout.incoming, layout.vms, layout.trash]) {
		await files.makeDirectory(directory);
	}
	await assertOneFileSystem(layout, deps.ids.random(6));
	await files.writeText(layout.readme, README_TEXT);
	const file: RepositoryFile = {
		format: REPOSITORY_FORMAT,
		id: deps.ids.uuid(),
		name,
		createdAt: deps.clock.now(),
		host: deps.hostId,
	};
	if (!(await files.createText(layout.identity, jsonText(file)))) {
		throw new KnibError("EXISTS", `${root} was made a repository by somebody else`);
	}
	if (isNew) await files.settle(root, MODES.directory);
	return await openRepository({ ...deps, path: root, expectedId: file.id });
};
