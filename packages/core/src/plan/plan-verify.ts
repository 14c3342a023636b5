// Decides which backups of a repository, or of one chain, are re-read whole (SPEC 7, VerifyRepository). Pure.
import type { VerifyRepositoryRequest } from "../api/job-request.ts";
import type { Chain, PublishedBackup } from "../domain/chain.ts";
import { type Refusal, refuse } from "./plan.ts";
import type { VerifyPlan } from "./service-plans.ts";
import type { VerifyChain } from "./service-steps.ts";

export type VerifyFacts = {
	readonly request: VerifyRepositoryRequest;
	readonly repository: { readonly id: string; readonly name: string };
	/** Id of the one chain that is asked for; null for all. */
	readonly chain: string | null;
	/** All chains of the repository, or the one. */
	readonly chains: readonly Chain[];
};

const bytesOf = ({ manifest }: PublishedBackup): number =>
	manifest.generation.layers.reduce((sum, layer) => sum + layer.size, 0);

/** When a backup was last read whole; the empty text for never, which sorts first. */
const checkedAt = ({ marks }: PublishedBackup): string =>
	marks.proofs
		.filter((proof) => proof.level === "checked")
		.map((proof) => proof.at)
		.sort()
		.at(-1) ?? "";

const idOf = ({ manifest }: PublishedBackup): string => manifest.identity.id;

/** The backups that make up the n-th part of all bytes: those whose last check is the longest ago, at least one. */
export const pickShare = (
	members: readonly PublishedBackup[],
	share: number,
): readonly PublishedBackup[] => {
	const wanted = members.reduce((sum, member) => sum + bytesOf(member), 0) / share;
	const picked: PublishedBackup[] = [];
	let bytes = 0;
	const oldestFirst = members.toSorted((a, b) =>
		`${checkedAt(a)} ${idOf(a)}` < `${checkedAt(b)} ${idOf(b)}` ? -1 : 1,
	);
	for (const member of oldestFirst) {
		if (bytes >= wanted) break;
		picked.push(member);
		bytes += bytesOf(member);
	}
	return picked;
};

const nameOf = (chain: Chain): string => chain.members.at(-1)?.manifest.vm.name ?? chain.vm;

const perChain = (
	chains: readonly Chain[],
	picked: ReadonlySet<string>,
	all: boolean,
): readonly VerifyChain[] =>
	chains.flatMap((chain) => {
		const backups = chain.members.map(idOf).filter((id) => picked.has(id));
		if (!all && backups.length === 0) return [];
		return [{ vm: { uuid: chain.vm, name: nameOf(chain) }, chain: chain.id, backups }];
	});

/** The plan of a verification. A chain without a readable backup is looked at too: its problems are what it has to say. */
export const planVerify = (facts: VerifyFacts): VerifyPlan | Refusal => {
	const { request, repository, chains } = facts;
	const members = chains.flatMap((chain) => chain.members);
	const only = facts.chain === null ? undefined : chains.find((one) => one.id === facts.chain);
	if (facts.chain !== null && only === undefined) {
		return refuse("NOT_FOUND", `repository ${repository.name} holds no chain ${facts.chain}`, {
			hint: "read the repository again with `knib repository rescan`",
		});
	}
	const share = request.share ?? 1;
	const picked = share === 1 ? members : pickShare(members, share);
	const bytes = picked.reduce((sum, member) => sum + bytesOf(member), 0);
	const what =
		only === undefined ? `repository ${repository.name}` : `chain ${only.id} of ${nameOf(only)}`;
	const part = share === 1 ? "" : `1/${share} of `;
	return {
		type: "VerifyRepository",
		vm:
			only === undefined
				? { uuid: repository.id, name: repository.name }
				: { uuid: only.vm, name: nameOf(only) },
		repository,
		chain: only?.id ?? null,
		reason: `re-reads ${part}${what}: ${picked.length} of ${members.length} backups, ${bytes} bytes`,
		explain: share === 1 ? [] : ["those whose last check is the longest ago come first"],
		warnings: [],
		steps: [
			{
				kind: "verify-chains",
				chains: perChain(chains, new Set(picked.map(idOf)), share === 1),
				bytes,
				rate: request.rate,
			},
		],
	};
};
