// Decides the deletion of a backup (SPEC 3.2): marked only while living backups stand on it, else moved into the trash together with
// the removed ancestors that nothing else needs. Pure.
import type { DeleteBackupRequest } from "../api/job-request.ts";
import type { PublishedBackup } from "../domain/chain.ts";
import { chainEndReason } from "../domain/chain.ts";
import { shortId } from "../domain/ids.ts";
import {
	type AdmissionFacts,
	type AdmissionMember,
	admit,
	ancestorsOf,
	descendantsOf,
} from "./admission.ts";
import type { VmFacts } from "./facts.ts";
import { isRefusal, type Refusal, refuse } from "./plan.ts";
import type { ServiceSubject } from "./plan-compression.ts";
import { planConsolidation } from "./plan-consolidate.ts";
import { planFinish } from "./plan-finish.ts";
import type { DeletePlan } from "./service-plans.ts";
import type { Step } from "./steps.ts";

export type DeleteFacts = {
	readonly request: DeleteBackupRequest;
	readonly view: {
		readonly id: string;
		readonly vm: { readonly uuid: string; readonly name: string };
		readonly status: string;
	};
	readonly found: ServiceSubject | null;
	readonly admission: AdmissionFacts;
	/** The VM with its disks; null when this host has it no more. */
	readonly vm: VmFacts | null;
};

const isRemoved = (member: AdmissionMember): boolean => member.status === "Removed";

/** Why a chain ends when its newest backup goes. */
export const NEWEST_DELETED = "its newest backup was deleted";

/** Ids of what leaves the chain when a backup is deleted that no living one stands on: what is left above it, the backup, and the removed ancestors next to it. The newest first. */
export const sweepOf = (id: string, members: readonly AdmissionMember[]): readonly string[] => {
	const above = descendantsOf(id, members).map((member) => member.id);
	const below = ancestorsOf(id, members);
	const living = below.findIndex((member) => !isRemoved(member) || member.pinned);
	const swept = living < 0 ? below : below.slice(0, living);
	return [...above.toReversed(), id, ...swept.map((member) => member.id)];
};

const nameOf = (facts: DeleteFacts): string => `backup ${facts.view.id} of ${facts.view.vm.name}`;

const whyNot = (facts: DeleteFacts): Refusal | undefined => {
	const { request, view, admission } = facts;
	const obstacles = admit(request.consolidate ? "consolidate" : "delete", view.id, admission);
	const [first] = obstacles;
	if (first === undefined) return undefined;
	const reasons = [...new Set(obstacles.map((one) => one.reason))];
	const hint = reasons.includes("it is pinned") ? { hint: "`knib backup unpin` first" } : {};
	return refuse(first.code, `${nameOf(facts)} is not deleted: ${reasons.join("; ")}`, {
		reasons,
		...hint,
	});
};

const softPlan = (
	facts: DeleteFacts,
	found: ServiceSubject,
	living: readonly AdmissionMember[],
): DeletePlan => ({
	type: "DeleteBackup",
	...baseOf(facts, found),
	reason: `marked as removed: ${living.length} living backups stand on it`,
	explain: [
		`it is hidden and still counted; its data stays for ${living.map(({ id }) => shortId(id)).join(", ")}`,
	],
	steps: [{ kind: "lease" }, { kind: "mark-removed" }],
	soft: true,
	sweep: [],
	endsChain: null,
});

const baseOf = (facts: DeleteFacts, found: ServiceSubject) => ({
	vm: { uuid: found.backup.manifest.vm.uuid, name: found.backup.manifest.vm.name },
	repository: found.repository,
	backup: facts.view.id,
	chain: found.chain.id,
	warnings: [],
});

/** The end of the open chain whose newest backup goes, with the VM's overlays merged where it is on this host. */
const endingSteps = (facts: DeleteFacts, found: ServiceSubject): readonly Step[] | Refusal => {
	const ending: readonly Step[] = [
		{ kind: "lease" },
		{ kind: "end-chain", chain: found.chain.id, reason: NEWEST_DELETED },
	];
	const { vm } = facts;
	if (vm === null) return ending;
	if (vm.open === null || vm.open.chain.id !== found.chain.id) return ending;
	const finish = planFinish(vm, found.repository, NEWEST_DELETED);
	return isRefusal(finish) ? finish : finish.steps;
};

const newestOf = (found: ServiceSubject): PublishedBackup | undefined => found.chain.members.at(-1);

const explainSweep = (facts: DeleteFacts, sweep: readonly string[]): readonly string[] => {
	const swept = sweep.filter((id) => id !== facts.view.id);
	return [
		"its files are moved into the repository's trash and deleted after backup.trash.grace",
		...(swept.length === 0
			? []
			: [`removed backups that nothing needs any more go too: ${swept.map(shortId).join(", ")}`]),
	];
};

/** The plan of a deletion, or why it is refused: BACKUP_BUSY while something uses it, REFUSED when it is pinned or removed. */
export const planDelete = (facts: DeleteFacts): DeletePlan | Refusal => {
	const { found, view } = facts;
	if (found === null) {
		return refuse("NOT_FOUND", `no repository of this host holds ${nameOf(facts)}`, {
			hint: "read the repository again with `knib repository rescan`",
		});
	}
	const refusal = whyNot(facts);
	if (refusal !== undefined) return refusal;
	const { members } = facts.admission;
	const living = descendantsOf(view.id, members).filter((member) => !isRemoved(member));
	if (living.length > 0) {
		return facts.request.consolidate
			? planConsolidation(facts, found)
			: softPlan(facts, found, living);
	}
	const problem = found.chain.problems[0];
	if (problem !== undefined) {
		return refuse(
			"REFUSED",
			`${nameOf(facts)} is not deleted: its chain cannot be trusted: ${problem}`,
		);
	}
	const sweep = sweepOf(view.id, members);
	const newest = newestOf(found)?.manifest.identity.id;
	const ends = chainEndReason(found.chain) === null && sweep.includes(newest ?? "");
	const before = ends ? endingSteps(facts, found) : [{ kind: "lease" } as const];
	if ("refused" in before) return before;
	return {
		type: "DeleteBackup",
		...baseOf(facts, found),
		reason: sweep.length === 1 ? "no backup stands on it" : `${sweep.length} backups are swept`,
		explain: [
			...explainSweep(facts, sweep),
			...(ends ? [`chain ${found.chain.id} ends: ${NEWEST_DELETED}`] : []),
		],
		steps: [...before, { kind: "trash-backups", backups: sweep }],
		soft: false,
		sweep,
		endsChain: ends ? NEWEST_DELETED : null,
	};
};
