// Decides a restore over a VM's own disks (SPEC 6.1, 6.2), and what becomes of the disks that it has set aside. Pure.
import { chainEndReason } from "../domain/chain.ts";
import type { Vm } from "../domain/vm.ts";
import type { DiskFacts, OpenChainFacts } from "./facts.ts";
import { planMerges } from "./merges.ts";
import { type Refusal, type RestorePlan, refuse } from "./plan.ts";
import { quickDisks } from "./quick-disks.ts";
import { type RestoreReads, readLayers, restoredBytes } from "./read-layers.ts";
import type { FoundBackup } from "./restore-facts.ts";
import { type InPlaceFacts, whyNotInPlace } from "./restore-in-place-refusals.ts";
import type { RestoreDiskPlan, Step, SwitchDiskPlan } from "./steps.ts";

/** What undoing or confirming the last restore in place depends on. */
export type KeptFacts = {
	readonly mode: "undo" | "confirm";
	readonly vm: Vm;
	/** The newest restore whose old disks are kept; null when there is none. */
	readonly kept: {
		readonly record: string;
		readonly backup: string;
		readonly disks: readonly { readonly target: string; readonly path: string }[];
		readonly undone: boolean;
	} | null;
	readonly repository: { readonly id: string; readonly name: string };
};

type Paired = { readonly copy: RestoreDiskPlan; readonly change: SwitchDiskPlan };

const pairDisks = (facts: InPlaceFacts, reads: RestoreReads): readonly Paired[] =>
	reads.disks.flatMap(({ target, layers }): Paired[] => {
		const [top] = layers;
		const place = facts.places.find((one) => one.target === target);
		if (top === undefined || place === undefined) return [];
		const staged = `${place.path}.knib-new-${facts.id}`;
		const { path, old, lost } = place;
		const format = facts.quick === null ? place.format : "qcow2";
		const below = facts.quick === null ? {} : { layers: layers.map((layer) => layer.path) };
		const { virtualSize } = top.layer;
		const bytes = restoredBytes(layers);
		return [
			{
				copy: { target, layer: top.path, path: staged, format, virtualSize, bytes },
				change: { target, path, format, staged, old, lost, ...below },
			},
		];
	});

const gained = (facts: InPlaceFacts): readonly DiskFacts[] =>
	facts.disks.filter(({ disk }) => !facts.places.some((one) => one.target === disk.target));

const endOf = (open: OpenChainFacts | null, found: FoundBackup): readonly Step[] => {
	if (open === null || chainEndReason(open.chain) !== null) return [];
	const reason = `the VM was restored in place from backup ${found.backup.manifest.identity.id}`;
	return [{ kind: "end-chain", chain: open.chain.id, reason }];
};

const newDisks = (
	facts: InPlaceFacts,
	reads: RestoreReads,
	paired: readonly Paired[],
): readonly Step[] => {
	const disks = paired.map((one) => one.copy);
	const { owner, quick, id } = facts;
	if (quick === null) {
		return [
			{ kind: "verify-layers" },
			{ kind: "copy-disks", disks, parallel: facts.parallelDisks, owner },
			{ kind: "check-disks", disks },
		];
	}
	const places = new Map(paired.map(({ change }) => [change.target, change.path]));
	const overlays = quickDisks(disks, reads, quick, (disk) => places.get(disk.target) ?? disk.path);
	return [{ kind: "make-quick-disks", id, disks: overlays, owner }];
};

const stepsOf = (
	facts: InPlaceFacts,
	found: FoundBackup,
	reads: RestoreReads,
	paired: readonly Paired[],
): readonly Step[] => {
	const merges = gained(facts).flatMap(({ disk, images }) =>
		planMerges(disk.target, images, { keepTop: false }),
	);
	return [
		{ kind: "lease" },
		{ kind: "hold" },
		...newDisks(facts, reads, paired),
		...(facts.vm.run === undefined
			? []
			: [{ kind: "shut-down", deadlineMs: facts.shutdownDeadlineMs } as const]),
		{
			kind: "switch-disks",
			id: facts.id,
			record: facts.record,
			disks: paired.map((one) => one.change),
		},
		...endOf(facts.open, found),
		...(merges.length === 0 ? [] : [{ kind: "merge-overlays", merges } as const]),
		...(facts.request.start || facts.quick !== null
			? [{ kind: "start-vm", agentDeadlineMs: facts.agentDeadlineMs } as const]
			: []),
	];
};

const explainOf = (facts: InPlaceFacts, paired: readonly Paired[]): readonly string[] => [
	...paired.map(({ copy, change }) =>
		change.lost === null
			? `${copy.target}: ${copy.layer} takes the place of ${change.path}; the old images stay as *.knib-old-${facts.id}`
			: `${copy.target}: the VM has lost it; it is made anew as ${change.path} and attached`,
	),
	...gained(facts).map(({ disk }) => `${disk.target}: not in the backup, stays as it is`),
	"`knib restore undo` goes back to the old disks; `knib restore confirm` deletes them",
];

/** Decides a restore over the VM's own disks. Refuses with REFUSED, NOT_FOUND, VERIFY_FAILED, VM_BUSY and STORAGE_NO_SPACE; nothing has been touched then. */
export const planRestoreInPlace = (facts: InPlaceFacts): RestorePlan | Refusal => {
	const { found, vm } = facts;
	const reads = found === null ? null : readLayers(found.chain.members, found.backup);
	const paired = reads === null ? [] : pairDisks(facts, reads);
	const needed = paired.reduce((sum, one) => sum + one.copy.bytes, 0);
	const refusal = whyNotInPlace(facts, reads, needed);
	if (refusal !== undefined) return refusal;
	if (found === null || reads === null) return refuse("INTERNAL", "there is nothing to restore");
	const { machine, identity } = found.backup.manifest;
	const firmware = machine.files.filter((file) => file === "nvram" || file === "tpm");
	return {
		type: "Restore",
		mode: "in-place",
		vm: { uuid: vm.uuid, name: vm.name },
		repository: found.repository,
		reason: `VM ${vm.name} in place from backup ${identity.id}`,
		explain: explainOf(facts, paired),
		warnings: [
			...(facts.quick?.warnings ?? []),
			...(firmware.length === 0
				? []
				: [`only disks are restored: ${firmware.join(" and ")} stay as they are now`]),
		],
		steps: stepsOf(facts, found, reads, paired),
		backup: identity.id,
		chain: found.chain.id,
		ancestry: reads.ancestry.map((one) => one.path),
		xml: "",
		uuid: vm.uuid,
		name: vm.name,
		nvram: null,
		tpm: null,
		disks: paired.map(({ change }) => ({ target: change.target, path: change.path })),
		quick: facts.quick !== null,
	};
};

/** Decides `restore undo` and `restore confirm`. Refuses with NOT_FOUND when nothing is kept, and with REFUSED while the VM is not shut off. */
export const planKeptDisks = (facts: KeptFacts): RestorePlan | Refusal => {
	const { vm, kept, mode } = facts;
	if (kept === null || (mode === "undo" && kept.undone)) {
		return refuse("NOT_FOUND", `no old disks of VM ${vm.name} are kept`, {
			hint: `\`knib vm show ${vm.name}\` says what is`,
		});
	}
	if (mode === "undo" && vm.run !== undefined) {
		return refuse("REFUSED", `VM ${vm.name} is ${vm.state}: its disks are in use`, {
			hint: "shut it down, then ask again",
		});
	}
	if (mode === "undo" && (vm.managedSave || vm.snapshots.length > 0)) {
		const what = vm.managedSave ? "a managed-save image" : "snapshots";
		return refuse("REFUSED", `VM ${vm.name} has ${what}, which name the restored disks`);
	}
	const { record } = kept;
	return {
		type: "Restore",
		mode,
		vm: { uuid: vm.uuid, name: vm.name },
		repository: facts.repository,
		reason:
			mode === "undo"
				? `VM ${vm.name} back to the disks it had before it was restored`
				: `the disks set aside of VM ${vm.name} are deleted`,
		explain: kept.disks.map(({ target, path }) => `${target}: ${path}`),
		warnings: [],
		steps: [mode === "undo" ? { kind: "undo-restore", record } : { kind: "drop-old", record }],
		backup: kept.backup,
		chain: "",
		ancestry: [],
		xml: "",
		uuid: vm.uuid,
		name: vm.name,
		nvram: null,
		tpm: null,
		disks: kept.disks,
		quick: false,
	};
};
