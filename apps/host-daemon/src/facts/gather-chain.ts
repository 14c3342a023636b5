import {
	asKnibError,
	type Chain,
	chainEndReason,
	type KnibError,
	type OpenChainFacts,
	type Repository,
} from "@knib/core";
import type { Catalog, KnownRepository } from "../catalog/catalog.ts";

/** A VM's chains in one repository. */
export type RepositoryChains = {
	readonly known: KnownRepository;
	readonly repository: Repository;
	readonly chains: readonly Chain[];
};

/** A repository that could not be read. */
export type Unreadable = { readonly known: KnownRepository; readonly error: KnibError };

/** A VM's chains in every repository of this host, and the repositories that did not answer. */
export const gatherChains = async (
	catalog: Catalog,
	vm: string,
): Promise<{
	readonly read: readonly RepositoryChains[];
	readonly failed: readonly Unreadable[];
}> => {
	const read: RepositoryChains[] = [];
	const failed: Unreadable[] = [];
	for (const known of await catalog.repositories()) {
		try {
			const repository = await catalog.open(known.id);
			read.push({ known, repository, chains: await repository.chains(vm) });
		} catch (thrown) {
			failed.push({ known, error: asKnibError(thrown) });
		}
	}
	return { read, failed };
};

const newestPoint = (chain: Chain): string =>
	chain.members.at(-1)?.manifest.identity.pointInTime ?? "";

const isOpen = (chain: Chain): boolean =>
	chainEndReason(chain) === null && chain.members.length > 0;

/** Chains that hold backups and take further ones, the newest first; isolated backups are chains of their own that never do. */
export const openChains = (
	read: readonly RepositoryChains[],
): readonly { readonly chain: Chain; readonly in: RepositoryChains }[] =>
	read
		.flatMap((one) => one.chains.map((chain) => ({ chain, in: one })))
		.filter(({ chain }) => isOpen(chain))
		.sort((a, b) => (newestPoint(a.chain) < newestPoint(b.chain) ? 1 : -1));

/** Ids of the newest backups of those chains that are open. */
export const openTips = (chains: readonly Chain[]): readonly string[] =>
	chains
		.filter(isOpen)
		.map(({ members }) => members.at(-1)?.manifest.identity.id ?? "")
		.toSorted();

/** The chain that the next backup may continue, with the proof of its newest member's layers. */
export const openChainFacts = async (
	read: readonly RepositoryChains[],
): Promise<OpenChainFacts | null> => {
	const found = openChains(read)[0];
	if (found === undefined) return null;
	const newest = found.chain.members.at(-1);
	const { id, name } = found.in.known;
	return {
		chain: found.chain,
		repository: { id, name },
		parentProblems:
			newest === undefined ? [] : await ancestryProblems(found.in.repository, found.chain),
	};
};

/** What is wrong with the layers of a chain's members, from the newest to the oldest; increments stand on all of them. */
export const ancestryProblems = async (
	repository: Repository,
	chain: Chain,
): Promise<readonly string[]> => {
	const problems = await Promise.all(chain.members.map((member) => repository.proveLayers(member)));
	return problems.flat();
};

/** Why the newest ended chain ended; null when there is none. */
export const lastEnd = (read: readonly RepositoryChains[]): string | null => {
	const ended = read
		.flatMap((one) => one.chains)
		.filter((chain) => chain.members.some((member) => member.manifest.kind !== "isolated"))
		.sort((a, b) => (newestPoint(a) < newestPoint(b) ? 1 : -1))[0];
	return ended === undefined ? null : chainEndReason(ended);
};
