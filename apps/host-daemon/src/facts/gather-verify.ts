// Reads what a verification depends on: the chains of a repository, or the one that is asked for. Nothing is written.
import {
	type Chain,
	KnibError,
	type Repository,
	type VerifyFacts,
	type VerifyRepositoryRequest,
} from "@knib/core";
import type { KnownRepository } from "../catalog/catalog.ts";
import type { JobDeps } from "../jobs/context.ts";

type Needs = Pick<JobDeps, "catalog">;

/** What a request names. */
export type Verified = {
	readonly repository: KnownRepository;
	readonly chain: string | null;
	readonly vm: { readonly uuid: string; readonly name: string } | null;
};

const onlyOf = (known: readonly KnownRepository[], named: string | undefined): KnownRepository => {
	const fitting = known.filter(
		({ id, name }) => named === undefined || id === named || name === named,
	);
	const [first] = fitting;
	if (first !== undefined && fitting.length === 1) return first;
	if (named !== undefined) throw new KnibError("NOT_FOUND", `there is no repository ${named}`);
	const names = known.map(({ name }) => name).join(", ");
	throw new KnibError("USAGE", `say which repository: ${names === "" ? "there is none" : names}`);
};

/** The repository and the chain that a request names. Rejects with NOT_FOUND, AMBIGUOUS_ID, USAGE. */
export const findVerified = async (
	{ catalog }: Needs,
	request: VerifyRepositoryRequest,
): Promise<Verified> => {
	const known = await catalog.repositories();
	if (request.chain === undefined) {
		return { repository: onlyOf(known, request.repository), chain: null, vm: null };
	}
	const { id, vm, repository } = await catalog.findChain(request.chain);
	return { repository: onlyOf(known, repository), chain: id, vm };
};

const allChains = async (repository: Repository): Promise<readonly Chain[]> => {
	const chains: Chain[] = [];
	for (const vm of await repository.vms()) chains.push(...(await repository.chains(vm)));
	return chains;
};

/** Everything that decides a verification. Rejects also with REPOSITORY_* when it cannot be read. */
export const gatherVerify = async (
	deps: Needs,
	request: VerifyRepositoryRequest,
): Promise<VerifyFacts> => {
	const { repository: known, chain, vm } = await findVerified(deps, request);
	const repository = await deps.catalog.open(known.id);
	const chains = vm === null ? await allChains(repository) : await repository.chains(vm.uuid);
	return {
		request,
		repository: { id: known.id, name: known.name },
		chain,
		chains: chains.filter((one) => chain === null || one.id === chain),
	};
};
