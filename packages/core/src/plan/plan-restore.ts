// Decides a restore to a new VM: what is read, what is written where, and why it may not be (SPEC 6.3). Pure; everything it reads
// is in RestoreFacts, everything it decides is in the plan.
import type { Outcomes } from "../machine/journal-entry.ts";
import { type Refusal, type RestorePlan, refuse } from "./plan.ts";
import { quickDisks } from "./quick-disks.ts";
import { type RestoreReads, readLayers, restoredBytes } from "./read-layers.ts";
import {
	type FoundBackup,
	type NewDefinition,
	type RestoreFacts,
	restorePaths,
} from "./restore-facts.ts";
import { whyNotRestoreNew } from "./restore-refusals.ts";
import type { RestoreDiskPlan, Step } from "./steps.ts";

/** What the planner has found to be there. */
type Ready = {
	readonly facts: RestoreFacts;
	readonly found: FoundBackup;
	readonly definition: NewDefinition;
	readonly reads: RestoreReads;
	readonly disks: readonly RestoreDiskPlan[];
};

const planDisks = (facts: RestoreFacts, reads: RestoreReads): readonly RestoreDiskPlan[] => {
	const vm = { name: facts.request.name, uuid: facts.uuid };
	const targets = reads.disks.map((disk) => disk.target);
	const paths = restorePaths(facts.storage.directory, vm, targets).disks;
	return reads.disks.flatMap(({ target, layers }) => {
		const path = paths.find((one) => one.target === target)?.path;
		const top = layers[0];
		if (top === undefined || path === undefined) return [];
		const bytes = restoredBytes(layers);
		const { virtualSize } = top.layer;
		return [{ target, layer: top.path, path, format: "qcow2", virtualSize, bytes }];
	});
};

const machineFiles = ({ facts, found }: Ready): Pick<RestorePlan, "nvram" | "tpm"> => {
	const vm = { name: facts.request.name, uuid: facts.uuid };
	const { path } = found.backup;
	const { nvram } = restorePaths(facts.storage.directory, vm, []);
	return {
		nvram: facts.machine.nvram ? { from: `${path}/nvram`, to: nvram } : null,
		tpm: facts.machine.tpm
			? { from: `${path}/tpm`, to: `${facts.tpmDirectory}/${facts.uuid}` }
			: null,
	};
};

const disksOf = ({ facts, disks, reads }: Ready): readonly Step[] => {
	const { owner } = facts.storage;
	if (facts.quick !== null) {
		const overlays = quickDisks(disks, reads, facts.quick);
		return [{ kind: "make-quick-disks", id: null, disks: overlays, owner }];
	}
	return [
		{ kind: "verify-layers" },
		{ kind: "copy-disks", disks, parallel: facts.parallelDisks, owner },
		{ kind: "check-disks", disks },
	];
};

const stepsOf = (ready: Ready): readonly Step[] => [
	{ kind: "hold" },
	...disksOf(ready),
	{ kind: "define-vm" },
	...startOf(ready),
];

const startOf = ({ facts }: Ready): readonly Step[] => [
	...(facts.request.start || facts.request.quick
		? [{ kind: "start-vm", agentDeadlineMs: facts.agentDeadlineMs } as const]
		: []),
];

const warningsOf = ({ facts, found, definition }: Ready): readonly string[] => {
	const { request, vms } = facts;
	const warnings = [
		...(facts.quick?.warnings ?? []),
		...definition.dropped.map((one) => `not in the new VM: ${one}`),
	];
	if (request.keepMac && vms.some((vm) => vm.uuid === found.chain.vm)) {
		warnings.push(`VM ${facts.view.vm.name} is on this host with the same MAC addresses`);
	}
	if (definition.firmware !== null && !facts.firmwareThere) {
		warnings.push(`firmware ${definition.firmware} is not on this host: the VM cannot start yet`);
	}
	if (facts.host.cannotStart !== null) {
		warnings.push(`the VM cannot start on this host yet: ${facts.host.cannotStart}`);
	}
	if (facts.networks === null && definition.networks.length > 0) {
		warnings.push("libvirt was not asked whether the VM's networks are on this host");
	}
	return warnings;
};

const explainOf = ({ facts, found, definition, reads, disks }: Ready): readonly string[] => {
	const { storage } = facts;
	const { identity } = found.backup.manifest;
	return [
		`the VM gets uuid ${facts.uuid}${facts.request.keepMac ? " and keeps its MAC addresses" : " and new MAC addresses"}`,
		`backup ${identity.id} is the state of ${identity.pointInTime}; ${reads.ancestry.length} backups of its chain are read`,
		`new disks go to ${storage.directory}: ${storage.reason}`,
		`their owner and mode: ${storage.ownerReason}`,
		...disks.map((disk) =>
			facts.quick === null
				? `${disk.target}: ${disk.layer} is written to ${disk.path}`
				: `${disk.target}: ${disk.path} stands on ${disk.layer} until it is pulled in`,
		),
		...definition.networks.map((one) => `it is connected to ${one.kind} ${one.name}`),
		...definition.changed.map((one) => `changed: ${one}`),
	];
};

/** Decides a restore to a new VM. Refuses with REFUSED, EXISTS, USAGE, NOT_FOUND, VERIFY_FAILED and STORAGE_NO_SPACE; nothing has been written then. */
export const planRestoreNew = (facts: RestoreFacts): RestorePlan | Refusal => {
	const { found, definition, request, view } = facts;
	const reads = found === null ? null : readLayers(found.chain.members, found.backup);
	const disks = reads === null ? [] : planDisks(facts, reads);
	const refusal = whyNotRestoreNew(facts, reads, disks);
	if (refusal !== undefined) return refusal;
	if (found === null || definition === null || reads === null) {
		return refuse("INTERNAL", `backup ${view.id} was neither found nor refused`);
	}
	const ready: Ready = { facts, found, definition, reads, disks };
	return {
		type: "Restore",
		mode: "new",
		vm: { uuid: found.chain.vm, name: found.backup.manifest.vm.name },
		repository: found.repository,
		reason: `VM ${request.name} from backup ${view.id} of ${view.vm.name}`,
		explain: explainOf(ready),
		warnings: warningsOf(ready),
		steps: stepsOf(ready),
		backup: found.backup.manifest.identity.id,
		chain: found.chain.id,
		ancestry: reads.ancestry.map((one) => one.path),
		xml: definition.xml,
		uuid: facts.uuid,
		name: request.name,
		...machineFiles(ready),
		disks: disks.map(({ target, path }) => ({ target, path })),
		quick: facts.quick !== null,
	};
};

/** Bytes that a plan copies into new disks; undefined where it copies none. */
export const copiedBytes = ({ steps }: Pick<RestorePlan, "steps">): number | undefined => {
	const copies = steps.flatMap((step) => (step.kind === "copy-disks" ? step.disks : []));
	return copies.length === 0 ? undefined : copies.reduce((sum, { bytes }) => sum + bytes, 0);
};

/** What `restore new` prints: the VM, its disks, the bytes copied, when it was started and after how many ms its agent answered; null for what was not asked for or did not happen. */
export const restoreResult = (plan: RestorePlan, outcomes: Outcomes): Record<string, unknown> => ({
	vm: { uuid: plan.uuid, name: plan.name },
	disks: plan.disks.map(({ target, path }) => ({ target, path })),
	startedAt: outcomes.startedAt ?? null,
	agentMs: outcomes.agentMs ?? null,
	backup: plan.backup,
	quick: plan.quick,
	bytes: copiedBytes(plan) ?? null,
});
