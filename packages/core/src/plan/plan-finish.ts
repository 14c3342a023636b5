import { refuseBlockJob } from "./block-job.ts";
import { detachedOverlays } from "./detached.ts";
import type { VmFacts } from "./facts.ts";
import { planMerges } from "./merges.ts";
import { type FinishPlan, type Refusal, refuse } from "./plan.ts";
import type { Step } from "./steps.ts";

/** Why no overlay of a VM can be merged now; undefined when nothing is in the way. */
export const refuseMerges = ({ vm, disks }: VmFacts): Refusal | undefined => {
	if (vm.managedSave) {
		return refuse("VM_STATE", `VM ${vm.name} has a managed-save image, which names its overlays`, {
			hint: "start the VM, or drop the image with `virsh managedsave-remove`",
		});
	}
	return refuseBlockJob(vm.name, disks);
};

/** Closes a VM's open chain and merges every overlay of knib's that its disks carry; with nothing to do it is still a plan. */
export const planFinish = (
	facts: VmFacts,
	repository: { readonly id: string; readonly name: string },
	reason: string,
): FinishPlan | Refusal => {
	const { vm, open } = facts;
	const refused = refuseMerges(facts);
	if (refused !== undefined) return refused;
	const merges = facts.disks.flatMap((disk) =>
		planMerges(disk.disk.target, disk.images, { keepTop: false }),
	);
	const steps: Step[] = [{ kind: "lease" }];
	if (open !== null) steps.push({ kind: "end-chain", chain: open.chain.id, reason });
	if (merges.length > 0) steps.push({ kind: "merge-overlays", merges });
	const detached = detachedOverlays(open, facts.disks);
	if (detached.length > 0) steps.push({ kind: "merge-detached", disks: detached });
	return {
		type: "FinishChain",
		vm: { uuid: vm.uuid, name: vm.name },
		repository: open?.repository ?? repository,
		reason: open === null && merges.length === 0 ? "nothing to finish" : reason,
		explain: [
			open === null ? "the VM has no open chain" : `chain ${open.chain.id} ends: ${reason}`,
			...merges.map((merge) => `overlays of ${merge.target} are merged into ${merge.base.path}`),
			...detached.map(
				({ target, base }) =>
					`the overlay of ${target}, which has left the VM, is merged into ${base.path}`,
			),
		],
		warnings: [],
		steps,
		chain: open?.chain.id ?? null,
	};
};
