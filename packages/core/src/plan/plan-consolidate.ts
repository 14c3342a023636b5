// Decides how a backup that others stand on is taken out of its chain for real (SPEC 3.3): its data is folded into its child's layers, and
// it goes into the trash alone. Pure.
import type { PublishedBackup } from "../domain/chain.ts";
import { shortId } from "../domain/ids.ts";
import { type Refusal, refuse } from "./plan.ts";
import type { ServiceSubject } from "./plan-compression.ts";
import type { DeleteFacts } from "./plan-delete.ts";
import type { DeletePlan } from "./service-plans.ts";
import type { Step } from "./steps.ts";

const idOf = ({ manifest }: PublishedBackup): string => manifest.identity.id;

const childOf = ({ chain, backup }: ServiceSubject): PublishedBackup | undefined =>
	chain.members.find(({ manifest }) => manifest.parent?.id === idOf(backup));

const whyNot = (found: ServiceSubject): string | undefined => {
	if (found.backup.manifest.parent === null) {
		return "it is the first of its chain, and all the others stand on it";
	}
	const [problem] = found.chain.problems;
	return problem === undefined ? undefined : `its chain cannot be trusted: ${problem}`;
};

const foldingSteps = (found: ServiceSubject, child: PublishedBackup): readonly Step[] => {
	const ids = { backup: idOf(found.backup), child: idOf(child) };
	return [
		...(found.backup.marks.removed === null ? [{ kind: "mark-removed" } as const] : []),
		{ kind: "fold-layers", ...ids },
		{ kind: "switch-folded", ...ids },
	];
};

/** The plan of a consolidation, or why it is refused. */
export const planConsolidation = (
	facts: DeleteFacts,
	found: ServiceSubject,
): DeletePlan | Refusal => {
	const { id, vm } = facts.view;
	const name = `backup ${id} of ${vm.name} is not consolidated`;
	const child = childOf(found);
	const problem = child === undefined ? "no backup stands on it" : whyNot(found);
	if (child === undefined || problem !== undefined) return refuse("REFUSED", `${name}: ${problem}`);
	const { status } = child.marks.compression;
	if (status === "Compressing" || status === "FinalizingCompression") {
		return refuse("BACKUP_BUSY", `${name}: its child ${shortId(idOf(child))} is ${status}`);
	}
	return {
		type: "DeleteBackup",
		vm: { uuid: vm.uuid, name: vm.name },
		repository: found.repository,
		backup: id,
		chain: found.chain.id,
		warnings: [],
		reason: `its data is folded into its child ${shortId(idOf(child))}`,
		explain: [
			"all later backups stay as they are; this one goes into the repository's trash, from where it cannot come back into its chain",
		],
		steps: [
			{ kind: "lease" },
			...foldingSteps(found, child),
			{ kind: "trash-backups", backups: [id] },
		],
		soft: false,
		sweep: [id],
		endsChain: null,
		consolidatesInto: idOf(child),
	};
};
