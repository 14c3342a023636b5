import {
	type BackupFacts,
	type BackupRequest,
	type FinishChainRequest,
	isRefusal,
	KnibError,
	type Refusal,
	type Vm,
	type VmFacts,
} from "@knib/core";
import type { JobDeps } from "../jobs/context.ts";
import { gatherChains, lastEnd, openChainFacts, openTips } from "./gather-chain.ts";
import { gatherDisks, requireVm } from "./gather-vm.ts";

const AGENT_DEADLINE_MS = 5_000;
const MEGABYTE = 1_000_000;

const askAgent = async (deps: JobDeps, vm: Vm, wanted: boolean): Promise<boolean | null> => {
	if (!wanted || vm.state !== "running") return null;
	if (!vm.agentChannel) return false;
	return deps.hypervisor.agentSync(vm.uuid, AGENT_DEADLINE_MS);
};

const errorOf = ({ code, message, details }: Refusal): KnibError =>
	new KnibError(code, message, { details });

/** Where a new chain would go. A chain that lies in a repository which was judged unfit does not grow there either; one that lies elsewhere goes on. */
const placeOf = (
	choice: Awaited<ReturnType<JobDeps["catalog"]["choose"]>>,
	open: BackupFacts["open"],
): BackupFacts["repository"] => {
	if (!isRefusal(choice)) {
		const { id, name } = choice.repository;
		return { id, name, reason: choice.reason };
	}
	if (open !== null && !choice.about.includes(open.repository.id)) return choice;
	throw errorOf(choice);
};

/** Everything that decides a backup of a VM, read once. Rejects with VM_NOT_FOUND, with the error of a repository that the VM's chain may be in, and with the reason why there is no place for a first chain. */
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
	const choice = await catalog.choose(vm, offering);
	const chains = await gatherChains(catalog, vm.uuid);
	const mayHoldChain = await catalog.repositoriesOf(vm.uuid);
	const chosen = isRefusal(choice) ? undefined : choice.repository.id;
	const missing = chains.failed.find(
		(one) => one.known.id === chosen || mayHoldChain.includes(one.known.id),
	);
	if (missing !== undefined) {
		throw isRefusal(choice) && choice.about.includes(missing.known.id)
			? errorOf(choice)
			: missing.error;
	}
	const open = await openChainFacts(chains.read);
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
		open,
		lastEnd: lastEnd(chains.read),
		openTips: Object.fromEntries(chains.read.map((one) => [one.known.id, openTips(one.chains)])),
		repository: placeOf(choice, open),
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
