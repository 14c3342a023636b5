// Decides how what a quick restore has left in the repository is pulled in. Pure.
import type { ConsolidatePlan } from "./plan.ts";

export type ConsolidateFacts = {
	readonly vm: { readonly uuid: string; readonly name: string };
	/** The quick restore that is not consolidated yet. */
	readonly quick: {
		readonly record: string;
		readonly source: string;
		readonly backup: string;
		readonly chain: string;
		readonly repository: { readonly id: string; readonly name: string };
		readonly disks: readonly { readonly target: string; readonly bytes: number }[];
	};
	/** Bytes per second for each disk, 0 = no limit. */
	readonly rate: number;
};

/** A consolidation is never refused: the VM depends on the repository until it is done. */
export const planConsolidate = ({ vm, quick, rate }: ConsolidateFacts): ConsolidatePlan => ({
	type: "Consolidate",
	vm,
	repository: quick.repository,
	reason: `VM ${vm.name} runs over the layers of backup ${quick.backup}`,
	explain: quick.disks.map(
		({ target, bytes }) =>
			`${target}: up to ${bytes} bytes are pulled in${rate > 0 ? `, ${rate} bytes a second at most` : ""}`,
	),
	warnings: [],
	steps: [{ kind: "pull-layers", record: quick.record, rate }],
	backup: quick.backup,
	chain: quick.chain,
	source: quick.source,
});
