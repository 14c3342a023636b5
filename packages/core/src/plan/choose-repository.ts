// Where a VM's next chain goes, and why (SPEC 2.3): the offering's repository, else that of the first selector that matches, else the
// default one with the most free space. Pure. What a selector has chosen is never passed over: where it cannot take a chain, nothing else
// is chosen in its place, since the operator has said where this VM's data belongs.
import { matchesName } from "../domain/name-pattern.ts";
import type { Offering } from "../domain/offering.ts";
import { inSelectorOrder, type Selector, type SelectorCondition } from "../domain/selector.ts";
import type { Vm } from "../domain/vm.ts";
import type { ErrorCode, ErrorDetails } from "../errors.ts";
import { type Refusal, refuse } from "./plan.ts";

/** A repository that this host has. */
export type RepositoryEntry = {
	readonly id: string;
	readonly name: string;
	readonly default: boolean;
};

/** How a repository was found. `error` says why it cannot take a chain, apart from its space; null when it can. */
export type RepositoryLook = {
	readonly capacity: number;
	readonly free: number;
	readonly state: string;
	readonly error: {
		readonly code: ErrorCode;
		readonly message: string;
		readonly details: ErrorDetails;
	} | null;
};

export type ChoiceFacts = {
	readonly vm: Pick<Vm, "name" | "tags">;
	readonly host: { readonly id: string };
	readonly offering: Pick<Offering, "id" | "name" | "repository">;
	readonly selectors: readonly Selector[];
	readonly repositories: readonly RepositoryEntry[];
	/** Percent of a repository that must be free when a chain opens. */
	readonly minimumFree: number;
};

/** A selector, and which of its conditions hold. */
export type SelectorVerdict = {
	readonly selector: Selector;
	readonly matches: boolean;
	readonly conditions: readonly (SelectorCondition & { readonly holds: boolean })[];
};

export type RepositoryChoice = {
	readonly repository: RepositoryEntry;
	/** In words. */
	readonly reason: string;
};

/** `about`: ids of the repositories that were judged. A chain that is open in another one can go on. */
export type ChoiceRefusal = Refusal & { readonly about: readonly string[] };

const holds = (condition: SelectorCondition, { vm, host, offering }: ChoiceFacts): boolean => {
	switch (condition.by) {
		case "name":
			return matchesName(condition.value, vm.name);
		case "tag":
			return vm.tags.includes(condition.value);
		case "host":
			return condition.value === host.id;
		case "offering":
			return condition.value === offering.id;
	}
};

/** Every selector in the order in which they are asked, with what it says of the VM. */
export const judgeSelectors = (facts: ChoiceFacts): readonly SelectorVerdict[] =>
	inSelectorOrder(facts.selectors).map((selector) => {
		const conditions = selector.match.map((one) => ({ ...one, holds: holds(one, facts) }));
		return { selector, conditions, matches: conditions.every((one) => one.holds) };
	});

/** Who decides, in words, and among which repositories of this host. */
type Deciding = {
	readonly by: "offering" | "selector" | "default";
	readonly who: string;
	readonly among: readonly RepositoryEntry[];
};

const deciding = (facts: ChoiceFacts): Deciding => {
	const { offering, repositories } = facts;
	const named = (id: string) => repositories.filter((repository) => repository.id === id);
	if (offering.repository !== undefined) {
		return { by: "offering", who: `offering ${offering.name}`, among: named(offering.repository) };
	}
	const first = judgeSelectors(facts).find(({ matches }) => matches)?.selector;
	if (first !== undefined) {
		return { by: "selector", who: `selector ${first.name}`, among: named(first.repository) };
	}
	const among = repositories.filter((repository) => repository.default);
	return { by: "default", who: "the default repository", among };
};

/** The repositories that `chooseRepository` wants to be looked at. An offering's is taken without a look. */
export const repositoriesInQuestion = (facts: ChoiceFacts): readonly RepositoryEntry[] => {
	const { by, among } = deciding(facts);
	return by === "offering" ? [] : among;
};

const ADD_HERE = "add it here with `knib repository add`";

const noneHere = (facts: ChoiceFacts, { by, who }: Deciding): Refusal => {
	if (by === "default") {
		return refuse("REFUSED", "this host has no default repository", {
			hint: "`knib repository add NAME --path DIR --default` adds one",
		});
	}
	const message = `${who} names a repository that this host does not have`;
	if (by === "offering") {
		return refuse("REFUSED", message, { repository: facts.offering.repository, hint: ADD_HERE });
	}
	const hint = `${ADD_HERE}, or change the selector: \`knib selector explain ${facts.vm.name}\``;
	return refuse("REFUSED", message, { hint });
};

const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

type Candidate = { readonly repository: RepositoryEntry; readonly look: RepositoryLook };

/** Why it cannot take a new chain; undefined when it can. */
const whyNot = ({ repository, look }: Candidate, minimum: number): string | undefined => {
	if (look.error !== null) return `${repository.name} is ${look.state}`;
	if (look.free * 100 >= look.capacity * minimum) return undefined;
	return `${repository.name} has less than ${minimum} % free`;
};

const noneUsable = (
	{ by, who }: Deciding,
	candidates: readonly Candidate[],
	minimum: number,
): Refusal => {
	const reasons = candidates.flatMap((one) => whyNot(one, minimum) ?? []).join("; ");
	const [only] = candidates.length === 1 ? candidates : [];
	const error = only?.look.error ?? null;
	if (by === "selector") {
		const what = `${who} names repository ${only?.repository.name}, which cannot take a new chain`;
		return refuse(error?.code ?? "REPOSITORY_NO_SPACE", `${what}: ${error?.message ?? reasons}`, {
			...error?.details,
			hint: "mend the repository, or change the selector; knib chooses no other instead",
		});
	}
	if (error !== null) return refuse(error.code, error.message, error.details);
	const full = candidates.some(({ look }) => look.error === null);
	const message = `no default repository can take a new chain: ${reasons}`;
	return refuse(full ? "REPOSITORY_NO_SPACE" : "REPOSITORY_UNREACHABLE", message);
};

/** The repository of the VM's next chain with the reason, or why there is none. `lookOf` is asked for `repositoriesInQuestion` only. */
export const chooseRepository = (
	facts: ChoiceFacts,
	lookOf: (id: string) => RepositoryLook,
): RepositoryChoice | ChoiceRefusal => {
	const decided = deciding(facts);
	const { by, who, among } = decided;
	const about = among.map(({ id }) => id);
	const [first] = among;
	if (first === undefined) return { ...noneHere(facts, decided), about };
	if (by === "offering") return { repository: first, reason: `${who} names it` };
	const candidates = among.map((repository) => ({ repository, look: lookOf(repository.id) }));
	const [best] = candidates
		.filter((one) => whyNot(one, facts.minimumFree) === undefined)
		.toSorted((a, b) => b.look.free - a.look.free);
	if (best === undefined) return { ...noneUsable(decided, candidates, facts.minimumFree), about };
	const most = among.length > 1 ? " with the most free space" : "";
	const words = by === "selector" ? `${who} names it` : `${who}${most}`;
	return { repository: best.repository, reason: `${words} (${gib(best.look.free)} free)` };
};
