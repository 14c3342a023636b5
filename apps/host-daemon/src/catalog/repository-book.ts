import {
	asKnibError,
	isErrorCode,
	KnibError,
	type Repository,
	type RepositoryView,
} from "@knib/core";
import type { BackupBook } from "./backup-book.ts";
import type { HostBody, RepositoryBody } from "./bodies.ts";
import type { KnownRepository } from "./catalog.ts";
import type { Documents } from "./documents.ts";

/** How repositories are reached; the real one is a directory on a mounted file system. */
export type RepositoryDriver = {
	/** Rejects with REPOSITORY_*. */
	open(path: string): Promise<Repository>;
	/** Opens the repository of a directory, or makes one where the directory is missing or empty. `created` tells which. */
	openOrCreate(path: string, name: string): Promise<{ repository: Repository; created: boolean }>;
	/** What `openOrCreate` would do, without doing it. Rejects as it would. */
	inspect(path: string): Promise<"repository" | "empty">;
};

type Deps = {
	readonly repositories: Documents<RepositoryBody>;
	readonly hosts: Documents<HostBody>;
	readonly driver: Pick<RepositoryDriver, "open">;
	readonly backups: Pick<BackupBook, "of">;
	readonly host: { readonly id: string; readonly name: string };
};

const STATES: Readonly<Record<string, RepositoryView["state"]>> = {
	REPOSITORY_UNREACHABLE: "unreachable",
	REPOSITORY_READ_ONLY: "read-only",
};

/** The repositories of this store, and where this host finds them. */
export const createRepositoryBook = (deps: Deps) => {
	const { host, driver } = deps;

	const known = async (): Promise<readonly KnownRepository[]> => {
		const own = (await deps.hosts.get(host.id))?.repositories ?? {};
		const added = (id: string) => own[id]?.addedAt ?? "";
		return (await deps.repositories.all())
			.flatMap(({ id, name }) => {
				const here = own[id];
				return here === undefined ? [] : [{ id, name, path: here.path, default: here.default }];
			})
			.sort((a, b) => (added(a.id) < added(b.id) ? -1 : 1));
	};

	const find = async (idOrName: string): Promise<KnownRepository> => {
		const all = await known();
		const named = all.find((r) => r.name === idOrName || r.id === idOrName);
		const parts = named === undefined ? all.filter((r) => isPartOf(r.id, idOrName)) : [named];
		const [only] = parts;
		if (only === undefined) throw new KnibError("NOT_FOUND", `there is no repository ${idOrName}`);
		if (parts.length === 1) return only;
		throw new KnibError("AMBIGUOUS_ID", `${idOrName} matches ${parts.length} repositories`, {
			details: { candidates: parts.map((r) => `${r.id} ${r.name}`) },
		});
	};

	/** Opens it and sees that it is still the one that was added: another disk may be mounted there by now. */
	const openKnown = async (repository: KnownRepository): Promise<Repository> => {
		const opened = await driver.open(repository.path);
		if (opened.id === repository.id) return opened;
		throw new KnibError(
			"REPOSITORY_INVALID",
			`${repository.path} holds another repository than ${repository.name}`,
			{ details: { expected: repository.id, found: opened.id } },
		);
	};

	const look = async (repository: KnownRepository) => {
		try {
			const state = await (await openKnown(repository)).state();
			const readOnly = new KnibError(
				"REPOSITORY_READ_ONLY",
				`${repository.path} cannot be written`,
			);
			return state.writable
				? ({ ...state, state: "ready", message: null, error: null } as const)
				: ({ ...state, state: "read-only", message: null, error: readOnly } as const);
		} catch (error) {
			const code = error instanceof KnibError && isErrorCode(error.code) ? error.code : "INTERNAL";
			const message = error instanceof Error ? error.message : String(error);
			const state = STATES[code] ?? "invalid";
			return { capacity: 0, free: 0, state, message, error: asKnibError(error) } as const;
		}
	};

	const view = async (repository: KnownRepository): Promise<RepositoryView> => {
		const [{ state, message, capacity, free }, held] = await Promise.all([
			look(repository),
			deps.backups.of(repository.id),
		]);
		return {
			...repository,
			state,
			message,
			capacity,
			free,
			backups: held.backups.length,
			chains: held.chains.length,
		};
	};

	return {
		known,
		find,
		view,
		open: async (idOrName: string): Promise<Repository> => openKnown(await find(idOrName)),
		openKnown,
		look,
		/** Every repository that some host has, with its name. */
		everywhere: async (): Promise<readonly RepositoryBody[]> => await deps.repositories.all(),
	};
};
export type RepositoryBook = ReturnType<typeof createRepositoryBook>;

const isPartOf = (id: string, text: string): boolean =>
	text.length >= 4 && (id.startsWith(text) || id.endsWith(text));
