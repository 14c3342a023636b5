import type { VmFacts } from "./facts.ts";
import { planMerges } from "./merges.ts";
import { type MergeOverlaysPlan, type Refusal, refuse } from "./plan.ts";
import { refuseMerges } from "./plan-finish.ts";
import type { Step } from "./steps.ts";

/** Merges what an earlier job had to leave (SPEC 2.11). While a chain is open the overlay in use stays, and the tracker learns what the merges did. */
export const planMergeOverlays = (
	facts: VmFacts,
	repository: { readonly id: string; readonly name: string },
): MergeOverlaysPlan | Refusal => {
	const { vm, open } = facts;
	const refused = refuseMerges(facts);
	if (refused !== undefined) return refused;
	const tracker = open?.chain.tracker ?? null;
	const files = (tracker?.disks ?? []).flatMap((disk) => disk.below);
	const merges = facts.disks.flatMap(({ disk, images }) =>
		planMerges(disk.target, images, {
			keepTop: tracker?.disks.some((one) => one.target === disk.target) === true,
			recorded: (path) => files.find((file) => file.path === path) ?? null,
		}),
	);
	if (merges.length === 0) {
		return refuse("REFUSED", `VM ${vm.name} carries no extra layer`);
	}
	const steps: Step[] = [{ kind: "lease" }, { kind: "merge-overlays", merges }];
	if (open !== null && tracker !== null) {
		steps.push({ kind: "record-tracker", chain: open.chain.id });
	}
	return {
		type: "MergeOverlays",
		vm: { uuid: vm.uuid, name: vm.name },
		repository: open?.repository ?? repository,
		reason: "an earlier job had to leave an extra layer",
		explain: merges.map((one) => `overlays of ${one.target} are merged into ${one.base.path}`),
		warnings: [],
		steps,
		chain: open?.chain.id ?? null,
	};
};
