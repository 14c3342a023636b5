import {
	isRefusal,
	KnibError,
	type SelectorExplained,
	selectorCreateInputSchema,
	selectorDeleteInputSchema,
	selectorUpdateInputSchema,
	viewError,
	vmInputSchema,
} from "@knib/core";
import { carryOut } from "../../catalog/change.ts";
import type { RepositoryChoices } from "../../catalog/repository-choices.ts";
import type { KnownHosts } from "../../catalog/selector-book.ts";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";
import { findVm } from "../vm-views.ts";
import { findHost } from "./host.ts";

const hostsOf = (deps: Pick<ApiDeps, "host" | "peers">): KnownHosts => ({
	find: (text) => findHost(deps, text),
	nameOf: (id) =>
		id === deps.host.id ? deps.host.name : (deps.peers?.mesh.members.get(id)?.name ?? null),
});

type Chosen = Pick<SelectorExplained, "repository" | "reason" | "error">;

const chosen = (choice: Awaited<ReturnType<RepositoryChoices["choose"]>>): Chosen => {
	if (!isRefusal(choice)) {
		const { id, name } = choice.repository;
		return { repository: { id, name }, reason: choice.reason, error: null };
	}
	const error = new KnibError(choice.code, choice.message, { details: choice.details });
	return { repository: null, reason: null, error: viewError(error) };
};

const explain = async (deps: ApiDeps, text: string): Promise<SelectorExplained> => {
	const { books } = deps;
	const { uuid, name, tags } = await findVm(deps, text);
	const offering = await books.vms.offeringOf(uuid);
	const vm = { uuid, name, tags };
	const hosts = hostsOf(deps);
	const verdicts = await books.choices.judge(vm, offering);
	const selectors = verdicts.map(async ({ selector, matches, conditions }) => {
		const view = await books.selectors.view(selector, hosts);
		const why = view.match.map(
			(words, at) => `${words} ${conditions[at]?.holds === true ? "holds" : "does not hold"}`,
		);
		return { ...view, matches, why };
	});
	const choice = await books.choices.choose(vm, offering);
	const open = (await books.backups.chains(uuid)).findLast(({ state }) => state === "open");
	return {
		vm,
		offering: { id: offering.id, name: offering.name },
		selectors: await Promise.all(selectors),
		...chosen(choice),
		openChain: open === undefined ? null : { id: open.id, repository: open.repository },
	};
};

/** Rules that choose the repository of a VM's next chain. */
export const selectorProcedures = {
	list: procedure.query(({ ctx: { deps } }) => deps.books.selectors.list(hostsOf(deps))),
	explain: procedure
		.input(vmInputSchema)
		.query(({ ctx: { deps }, input }) => explain(deps, input.vm)),
	create: procedure.input(selectorCreateInputSchema).mutation(({ ctx: { deps }, input }) => {
		const { turnstile, selectors } = deps.books;
		return carryOut(turnstile, () => selectors.create(input, hostsOf(deps)), input.dryRun);
	}),
	update: procedure.input(selectorUpdateInputSchema).mutation(({ ctx: { deps }, input }) => {
		const { turnstile, selectors } = deps.books;
		const { selector, changes, dryRun } = input;
		return carryOut(turnstile, () => selectors.update(selector, changes, hostsOf(deps)), dryRun);
	}),
	delete: procedure.input(selectorDeleteInputSchema).mutation(({ ctx: { deps }, input }) => {
		const { turnstile, selectors } = deps.books;
		return carryOut(turnstile, () => selectors.delete(input.selector, hostsOf(deps)), input.dryRun);
	}),
};
