import type { BackupFacts, BackupRequest, FinishChainRequest, Vm, VmFacts } from "@knib/core";
import type { JobDeps } from "../jobs/context.ts";
import { gatherChains, lastEnd, openChainFacts } from "./gather-chain.ts";
import { gatherDisks, requireVm } from "./gather-vm.ts";

const AGENT_DEADLINE_MS = 5_000;
const MEGABYTE = 1_000_000;

const askAgent = async (deps: JobDeps, vm: Vm, wanted: boolean): Promise<boolean | null> => {
	if (!wanted || vm.state !== "running") return null;
	if (!vm.agentChannel) return false;
	return deps.hypervisor.agentSync(vm.uuid, AGENT_DEADLINE_MS);
};

/** Everything that decides a backup of a VM, read once. Rejects with VM_NOT_FOUND, and with the error of a repository that the VM's chain may be in. */
export const gatherBackup = async (deps: JobDeps, request: BackupRequest): Promise<BackupFacts> => {
	const { catalog, hypervisor, images, ids, clock } = deps;
	const vm = await requireVm(hypervisor, request.vm);
	const offering = await catalog.offeringOf(vm.uuid);
	const scope = { vm: vm.uuid, offering };
	const [disks, excluded, chainSize, parallelDisks, copyRate, agentAnswers] = await Promise.all([
		gatherDisks(images, vm),
		catalog.excludedDisks(vm.uuid),
		catalog.setting("backup.chain.size", scope),
		catalog.setting("backup.copy.parallel.disks", scope),
		catalog.setting("backup.copy.rate.limit", scope),
		askAgent(deps, vm, request.quiesce),
	]);
	const { known, reason } = await catalog.choose(vm, offering).then((chosen) => ({
		known: chosen.repository,
		reason: chosen.reason,
	}));
	const chains = await gatherChains(catalog, vm.uuid);
	const mayHoldChain = await catalog.repositoriesOf(vm.uuid);
	const missing = chains.failed.find(
		(one) => one.known.id === known.id || mayHoldChain.includes(one.known.id),
	);
	if (missing !== undefined) throw missing.error;
	return {
		request,
		vm,
		disks,
		offering,
		excluded,
		chainSize,
		parallelDisks,
		copyRate: copyRate * MEGABYTE,
		agentAnswers,
		scratch: deps.scratch,
		open: await openChainFacts(chains.read),
		lastEnd: lastEnd(chains.read),
		repository: { id: known.id, name: known.name, reason },
		backup: ids.uuid(),
		newChain: ids.uuid(),
		nonce: ids.random(32),
		now: clock.now(),
	};
};

/** What closing a VM's chain depends on. */
export const gatherFinish = async (
	deps: JobDeps,
	request: Pick<FinishChainRequest, "vm">,
): Promise<VmFacts> => {
	const vm = await requireVm(deps.hypervisor, request.vm);
	const chains = await gatherChains(deps.catalog, vm.uuid);
	const holders = await deps.catalog.repositoriesOf(vm.uuid);
	const missing = chains.failed.find((one) => holders.includes(one.known.id));
	if (missing !== undefined) throw missing.error;
	return {
		vm,
		disks: await gatherDisks(deps.images, vm),
		open: await openChainFacts(chains.read),
	};
};
