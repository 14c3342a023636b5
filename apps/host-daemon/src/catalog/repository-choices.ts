import {
	type ChoiceFacts,
	type ChoiceRefusal,
	chooseRepository,
	judgeSelectors,
	KnibError,
	type Offering,
	type RepositoryChoice,
	repositoriesInQuestion,
	type Selector,
	type SelectorVerdict,
	type Vm,
} from "@knib/core";
import type { Documents } from "./documents.ts";
import type { RepositoryBook } from "./repository-book.ts";

type Deps = {
	readonly repositories: Pick<RepositoryBook, "known" | "look">;
	readonly selectors: Pick<Documents<Selector>, "all">;
	readonly host: { readonly id: string };
	/** Percent of a repository that must stay free. */
	readonly minimumFree: () => Promise<number>;
};

type Chooser = Pick<Vm, "name" | "tags">;

/** Where chains of this host's VMs open. */
export const createRepositoryChoices = (deps: Deps) => {
	const factsOf = async (vm: Chooser, offering: Offering): Promise<ChoiceFacts> => ({
		vm,
		offering,
		host: deps.host,
		selectors: await deps.selectors.all(),
		repositories: await deps.repositories.known(),
		minimumFree: await deps.minimumFree(),
	});

	return {
		/** SPEC 2.3. Effects: opens the repositories that come into question. */
		choose: async (vm: Chooser, offering: Offering): Promise<RepositoryChoice | ChoiceRefusal> => {
			const facts = await factsOf(vm, offering);
			const wanted = new Set(repositoriesInQuestion(facts).map(({ id }) => id));
			const known = (await deps.repositories.known()).filter(({ id }) => wanted.has(id));
			const looks = new Map(
				await Promise.all(
					known.map(async (one) => [one.id, await deps.repositories.look(one)] as const),
				),
			);
			return chooseRepository(facts, (id) => {
				const look = looks.get(id);
				if (look !== undefined) return look;
				// It was removed while this was being found out.
				const error = new KnibError("REPOSITORY_UNREACHABLE", "it was removed from this host");
				return { capacity: 0, free: 0, state: "unreachable", error };
			});
		},
		/** What every selector says of a VM. */
		judge: async (vm: Chooser, offering: Offering): Promise<readonly SelectorVerdict[]> =>
			judgeSelectors(await factsOf(vm, offering)),
	};
};
export type RepositoryChoices = ReturnType<typeof createRepositoryChoices>;
