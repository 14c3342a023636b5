import {
	type Chain,
	type ConsolidatePlan,
	type DeletePlan,
	extractResult,
	leftoverOf,
	type Outcomes,
	type Plan,
	type RunState,
	restoreResult,
	type StepKind,
} from "@knib/core";
import type { KnownRepository } from "../catalog/catalog.ts";
import type { JobDeps } from "./context.ts";
import { verifyResult } from "./executors/verify-chains.ts";

/** A chain whose last backup has gone: nothing in the repository tells of it any more. */
const emptied = ({ chain, vm, repository }: DeletePlan): Chain => ({
	id: chain,
	vm: vm.uuid,
	repository: repository.id,
	members: [],
	end: null,
	tracker: null,
	problems: [],
});

const refresh = async (deps: JobDeps, plan: Plan): Promise<readonly Chain[]> => {
	const known = (await deps.catalog.repositories()).find(
		(one: KnownRepository) => one.id === plan.repository.id,
	);
	if (known === undefined) return [];
	const repository = await deps.catalog.open(known.id);
	const chains = await repository.chains(plan.vm.uuid);
	for (const chain of chains) await deps.catalog.recordChain(known, chain);
	if (plan.type === "DeleteBackup" && chains.every(({ id }) => id !== plan.chain)) {
		await deps.catalog.recordChain(known, emptied(plan));
	}
	return chains;
};

/** Steps after which it is known which layers a VM carries. */
const MERGING: ReadonlySet<StepKind> = new Set<StepKind>([
	"switch-overlays",
	"merge-overlays",
	"record-tracker",
]);

const deleteResult = (plan: DeletePlan): Record<string, unknown> => ({
	id: plan.backup,
	vm: plan.vm,
	chain: plan.chain,
	status: plan.soft ? "Removed" : "Expunged",
	/** All that went into the trash, the newest first. */
	swept: plan.sweep,
	chainEnded: plan.endsChain,
	consolidatedInto: plan.consolidatesInto ?? null,
	reason: plan.reason,
});

/** Also keeps the rate, for the VM that was backed up and the one that was restored. */
const consolidateResult = async (
	deps: JobDeps,
	plan: ConsolidatePlan,
	{ pulled }: Outcomes,
): Promise<Record<string, unknown>> => {
	const { bytes, ms } = pulled ?? { bytes: 0, ms: 0 };
	const pullBytesPerSecond = bytes > 0 && ms > 0 ? Math.round((bytes * 1000) / ms) : null;
	for (const vm of new Set([plan.source, plan.vm.uuid])) {
		if (pullBytesPerSecond !== null) await deps.catalog.promise(vm, { pullBytesPerSecond });
	}
	return { vm: plan.vm, backup: plan.backup, bytes, ms, bytesPerSecond: pullBytesPerSecond };
};

/** Brings the view up to date with the repository after a job, and says what the command prints. */
export const finishPlan = async (
	deps: JobDeps,
	state: RunState,
): Promise<Record<string, unknown>> => {
	const { plan, outcomes } = state;
	if (plan.type === "Restore") {
		if (plan.mode === "in-place") await refresh(deps, plan);
		return restoreResult(plan, outcomes);
	}
	if (plan.type === "VerifyRepository") return verifyResult(plan, outcomes);
	if (plan.type === "ExtractFiles") return extractResult(plan, outcomes);
	if (plan.type === "Consolidate") return await consolidateResult(deps, plan, outcomes);
	const chains = await refresh(deps, plan);
	if (plan.steps.some((step) => MERGING.has(step.kind))) {
		await deps.catalog.noteVm(
			plan.vm.uuid,
			leftoverOf(state).map((one) => `extra layer present on ${one.target}: ${one.reason}`),
		);
	}
	if (plan.type === "DeleteBackup") return deleteResult(plan);
	if ("backup" in plan) {
		const view = await deps.catalog.backup(plan.backup);
		return view === undefined ? { id: plan.backup } : { ...view };
	}
	return { chain: plan.chain, vm: plan.vm, chains: chains.length };
};
