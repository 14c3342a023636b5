import {
	inSelectorOrder,
	KnibError,
	matchIds,
	type Selector,
	type SelectorChanges,
	type SelectorCondition,
	type SelectorCreateInput,
	type SelectorView,
	selectorSchema,
} from "@knib/core";
import type { Change } from "./change.ts";
import type { Documents } from "./documents.ts";
import type { OfferingBook } from "./offering-book.ts";
import type { RepositoryBook } from "./repository-book.ts";

type Deps = {
	readonly selectors: Documents<Selector>;
	readonly repositories: Pick<RepositoryBook, "known" | "everywhere">;
	readonly offerings: Pick<OfferingBook, "findLiving" | "byId">;
	readonly now: () => string;
	readonly uuid: () => string;
};

/** The hosts that conditions name. */
export type KnownHosts = {
	/** By name or a part of the id. Throws NOT_FOUND, AMBIGUOUS_ID. */
	find(text: string): { readonly id: string };
	/** Null for one that is not known. */
	nameOf(id: string): string | null;
};

const oneOf = <T extends { readonly id: string; readonly name: string }>(
	all: readonly T[],
	text: string,
	what: string,
): T => {
	const named = all.filter((one) => one.name === text);
	const matches = named.length > 0 ? named : matchIds(all, text, ({ id }) => id);
	const [only] = matches;
	if (only === undefined) throw new KnibError("NOT_FOUND", `there is no ${what} ${text}`);
	if (matches.length === 1) return only;
	throw new KnibError("AMBIGUOUS_ID", `${text} matches ${matches.length} of them: which ${what}?`, {
		details: { candidates: matches.map(({ id, name }) => `${id} ${name}`) },
	});
};

/** The selectors of all hosts, by names that are unique on this one. */
export const createSelectorBook = (deps: Deps) => {
	const { selectors, repositories, offerings } = deps;

	const find = async (text: string): Promise<Selector> =>
		oneOf(await selectors.all(), text, "selector");

	const mustBeFree = async (name: string, except?: string): Promise<void> => {
		const taken = (await selectors.all()).some((one) => one.name === name && one.id !== except);
		if (taken) throw new KnibError("EXISTS", `a selector named ${name} exists already`);
	};

	/** One of this host, else one that only other hosts have. */
	const repositoryOf = async (text: string): Promise<{ readonly id: string }> => {
		const here = await repositories.known();
		const isHere = here.some(({ id, name }) => id === text || name === text);
		return oneOf(isHere ? here : await repositories.everywhere(), text, "repository");
	};

	const resolved = async (
		{ by, value }: SelectorCondition,
		hosts: KnownHosts,
	): Promise<SelectorCondition> => {
		if (by === "host") return { by, value: hosts.find(value).id };
		return by === "offering"
			? { by, value: (await offerings.findLiving(value)).id }
			: { by, value };
	};
	const allResolved = (match: readonly SelectorCondition[], hosts: KnownHosts) =>
		Promise.all(match.map((one) => resolved(one, hosts)));

	const shown = async ({ by, value }: SelectorCondition, hosts: KnownHosts): Promise<string> => {
		if (by === "host") return `host=${hosts.nameOf(value) ?? value}`;
		if (by !== "offering") return `${by}=${value}`;
		const offering = await offerings.byId(value);
		const removed = offering?.removedAt === undefined ? "" : " (removed)";
		return `offering=${offering?.name ?? value}${removed}`;
	};

	const viewOf = async (selector: Selector, hosts: KnownHosts): Promise<SelectorView> => {
		const { id, name, priority, repository, createdAt } = selector;
		const here = (await repositories.known()).find((one) => one.id === repository);
		const known = here ?? (await repositories.everywhere()).find((one) => one.id === repository);
		return {
			...{ id, name, priority, createdAt },
			match: await Promise.all(selector.match.map((one) => shown(one, hosts))),
			repository: { id: repository, name: known?.name ?? null, here: here !== undefined },
		};
	};

	const saving = async (
		type: string,
		selector: Selector,
		explain: readonly string[],
		hosts: KnownHosts,
	): Promise<Change<SelectorView>> => {
		const { match, repository, priority } = await viewOf(selector, hosts);
		const where = `a new chain of a VM with ${match.join(" and ")} goes to ${repository.name ?? repository.id}`;
		return {
			type,
			explain: [...explain, `${where}, asked at priority ${priority}; open chains stay`],
			warnings: repository.here
				? []
				: [`this host does not have that repository: it refuses to open chains of such VMs`],
			apply: async () => {
				await selectors.put(selector);
				return await viewOf(selector, hosts);
			},
		};
	};

	return {
		find,
		view: viewOf,
		/** In the order in which they are asked. */
		list: async (hosts: KnownHosts): Promise<readonly SelectorView[]> =>
			Promise.all(inSelectorOrder(await selectors.all()).map((one) => viewOf(one, hosts))),
		/** Rejects with EXISTS, and with NOT_FOUND for a repository, host or offering that is none. */
		create: async (
			{ name, match, repository, priority }: SelectorCreateInput,
			hosts: KnownHosts,
		): Promise<Change<SelectorView>> => {
			await mustBeFree(name);
			const selector = selectorSchema.parse({
				...{ id: deps.uuid(), name, priority, createdAt: deps.now() },
				match: await allResolved(match, hosts),
				repository: (await repositoryOf(repository)).id,
			});
			return saving("SelectorCreate", selector, [`creates the selector ${name}`], hosts);
		},
		update: async (
			text: string,
			{ name, match, repository, priority }: SelectorChanges,
			hosts: KnownHosts,
		): Promise<Change<SelectorView>> => {
			const before = await find(text);
			if (name !== undefined) await mustBeFree(name, before.id);
			const after = selectorSchema.parse({
				...before,
				...(name === undefined ? {} : { name }),
				...(match === undefined ? {} : { match: await allResolved(match, hosts) }),
				...(repository === undefined ? {} : { repository: (await repositoryOf(repository)).id }),
				...(priority === undefined ? {} : { priority }),
			});
			return saving("SelectorUpdate", after, [`changes the selector ${before.name}`], hosts);
		},
		delete: async (text: string, hosts: KnownHosts): Promise<Change<SelectorView>> => {
			const selector = await find(text);
			return {
				type: "SelectorDelete",
				explain: [`deletes the selector ${selector.name}; chains and backups stay where they are`],
				apply: async () => {
					const view = await viewOf(selector, hosts);
					await selectors.remove([selector.id]);
					return view;
				},
			};
		},
	};
};
export type SelectorBook = ReturnType<typeof createSelectorBook>;
