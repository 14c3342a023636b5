// Adding and removing repositories. The directories themselves are never deleted here.
import { resolve } from "node:path";
import { KnibError, type Offering, type RepositoryView, type Selector } from "@knib/core";
import type { BackupBook } from "./backup-book.ts";
import type { HostBody, RepositoryBody } from "./bodies.ts";
import type { KnownRepository } from "./catalog.ts";
import type { Change } from "./change.ts";
import type { Documents } from "./documents.ts";
import type { RepositoryBook, RepositoryDriver } from "./repository-book.ts";
import type { Rescan } from "./rescan.ts";

type Deps = {
	readonly repositories: Documents<RepositoryBody>;
	readonly hosts: Documents<HostBody>;
	readonly offerings: Documents<Offering>;
	readonly selectors: Documents<Selector>;
	readonly driver: RepositoryDriver;
	readonly book: RepositoryBook;
	readonly backups: Pick<BackupBook, "of" | "forget">;
	readonly rescan: Rescan;
	readonly host: { readonly id: string; readonly name: string };
	readonly now: () => string;
};

/** Changes of the set of repositories, and the view of what is in them. */
export const createRepositoryChanges = (deps: Deps) => {
	const { book, host } = deps;

	const ownBody = async (): Promise<HostBody> =>
		(await deps.hosts.get(host.id)) ?? { id: host.id, name: host.name, repositories: {} };

	const mustBeFree = async (name: string, path: string): Promise<void> => {
		const all = await book.known();
		const named = all.find((repository) => repository.name === name);
		if (named !== undefined) {
			throw new KnibError("EXISTS", `a repository named ${name} exists already, at ${named.path}`);
		}
		const there = all.find((repository) => repository.path === path);
		if (there !== undefined) {
			throw new KnibError("EXISTS", `${path} is already known as repository ${there.name}`);
		}
	};

	const mustNotBeNamed = async (known: KnownRepository): Promise<void> => {
		const names = (all: readonly (Offering | Selector)[]): readonly string[] =>
			all.filter(({ repository }) => repository === known.id).map(({ name }) => name);
		const offerings = names((await deps.offerings.all()).filter((one) => !one.removedAt));
		const selectors = names(await deps.selectors.all());
		const [what, who] =
			offerings.length > 0
				? (["offering", offerings] as const)
				: (["selector", selectors] as const);
		if (who.length === 0) return;
		const message = `repository ${known.name} is named by the ${what} ${who.join(", ")}`;
		throw new KnibError("REFUSED", message, {
			details: { hint: `change the ${what} first: \`knib ${what} update\`` },
		});
	};

	/** What all hosts know of a repository stays while another one has it. */
	const isElsewhere = async (id: string): Promise<boolean> =>
		(await deps.hosts.foreign()).some(({ repositories }) => Object.hasOwn(repositories, id));

	const record = async (known: KnownRepository): Promise<void> => {
		const body = await ownBody();
		const entry = { path: known.path, default: known.default, addedAt: deps.now() };
		await deps.repositories.put({ id: known.id, name: known.name });
		await deps.hosts.put({ ...body, repositories: { ...body.repositories, [known.id]: entry } });
	};

	return {
		/** The directory is made into a repository where it is missing or empty; one that holds a repository is taken as it is and read. */
		add: async (input: {
			readonly name: string;
			readonly path: string;
			readonly default: boolean;
		}): Promise<Change<RepositoryView>> => {
			const path = resolve(input.path);
			await mustBeFree(input.name, path);
			const there = await deps.driver.inspect(path);
			const isDefault = input.default || (await book.known()).every((r) => !r.default);
			return {
				type: "RepositoryAdd",
				explain: [
					there === "repository"
						? `adds the repository in ${path} as ${input.name} and reads its backups`
						: `makes a new repository in ${path} and adds it as ${input.name}`,
					...(isDefault ? ["it becomes a default one: new chains go there"] : []),
				],
				apply: async () => {
					const { repository } = await deps.driver.openOrCreate(path, input.name);
					const all = await book.known();
					const same = all.find((known) => known.id === repository.id);
					if (same !== undefined) {
						const message = `${path} holds the same repository as ${same.name} at ${same.path}`;
						throw new KnibError("EXISTS", message);
					}
					const known = { id: repository.id, name: input.name, path, default: isDefault };
					await record(known);
					await deps.rescan([known]);
					return await book.view(known);
				},
			};
		},
		/** Takes it out of this host's list; nothing in the directory is touched. */
		remove: async (idOrName: string): Promise<Change<{ id: string; name: string }>> => {
			const known = await book.find(idOrName);
			await mustNotBeNamed(known);
			const held = await deps.backups.of(known.id);
			const open = held.chains.filter((chain) => chain.state === "open");
			return {
				type: "RepositoryRemove",
				explain: [
					`takes repository ${known.name} out of this host's list`,
					`its ${held.backups.length} backups stay in ${known.path}`,
				],
				warnings: open.map(
					(chain) => `the open chain of ${chain.vm.name} lies there; its next backup is a full one`,
				),
				apply: async () => {
					const body = await ownBody();
					const { [known.id]: _, ...rest } = body.repositories;
					await deps.hosts.put({ ...body, repositories: rest });
					if (!(await isElsewhere(known.id))) await deps.repositories.remove([known.id]);
					await deps.backups.forget({
						backups: held.backups.map((backup) => backup.id),
						chains: held.chains.map((chain) => chain.id),
					});
					return { id: known.id, name: known.name };
				},
			};
		},
	};
};
export type RepositoryChanges = ReturnType<typeof createRepositoryChanges>;
