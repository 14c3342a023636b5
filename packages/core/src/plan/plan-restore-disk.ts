// Decides the restore of one disk to a VM, as a new disk that is attached (SPEC 6.4). Pure.
import type { RestoreDiskRequest } from "../api/job-request.ts";
import type { BackupView } from "../api/views.ts";
import type { Vm } from "../domain/vm.ts";
import { type Refusal, type RestorePlan, refuse } from "./plan.ts";
import { quickDisks, whyNotQuick } from "./quick-disks.ts";
import { type RestoreReads, readLayers, restoredBytes } from "./read-layers.ts";
import type { FoundBackup, QuickFacts } from "./restore-facts.ts";
import { whyNotReadable } from "./restore-refusals.ts";
import type { FileOwner, RestoreDiskPlan, Step } from "./steps.ts";

export type RestoreDiskFacts = {
	readonly request: RestoreDiskRequest;
	readonly view: Pick<BackupView, "id" | "vm" | "status">;
	readonly found: FoundBackup | null;
	/** The VM that gets the disk. */
	readonly vm: Vm;
	/** All targets of the VM's disks, of the live definition and the stored one. */
	readonly taken: readonly string[];
	/** The name that the disk gets. */
	readonly target: string;
	/** Absolute path of the file to make. */
	readonly path: string;
	/** The `<disk>` to attach. */
	readonly xml: string;
	readonly free: number;
	readonly owner: FileOwner;
	readonly quick: QuickFacts | null;
};

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** The first virtio target that no disk has. */
export const freeTarget = (taken: readonly string[]): string => {
	const names = [
		...[...LETTERS].map((one) => `vd${one}`),
		...[...LETTERS].flatMap((one) => [...LETTERS].map((two) => `vd${one}${two}`)),
	];
	return names.find((name) => !taken.includes(name)) ?? "vdaaa";
};

type Why = Refusal | undefined;

const ofVm = ({ vm, taken, target, request }: RestoreDiskFacts): Why => {
	if (vm.managedSave) {
		return refuse("REFUSED", `VM ${vm.name} has a managed-save image, which knows no such disk`, {
			hint: "start the VM first",
		});
	}
	if (request.target !== undefined && taken.includes(target)) {
		return refuse("EXISTS", `VM ${vm.name} has a disk ${target}`, {
			hint: "name another one with --target, or leave it out",
		});
	}
	return undefined;
};

const ofDisk = ({ request, view }: RestoreDiskFacts, reads: RestoreReads | null): Why => {
	const has = reads?.disks.map((one) => one.target) ?? [];
	if (reads === null || has.includes(request.disk)) return undefined;
	return refuse("NOT_FOUND", `backup ${view.id} has no disk ${request.disk}`, {
		hint: `it has ${has.join(", ")}`,
	});
};

const stepsOf = (
	facts: RestoreDiskFacts,
	reads: RestoreReads,
	disk: RestoreDiskPlan,
): readonly Step[] => {
	const { owner, quick, target, path, xml } = facts;
	const attach = { kind: "attach-disk", target, path, xml } as const;
	if (quick !== null) {
		const disks = quickDisks([disk], reads, quick).map((one) => ({ ...one, target }));
		return [{ kind: "hold" }, { kind: "make-quick-disks", id: null, disks, owner }, attach];
	}
	return [
		{ kind: "hold" },
		{ kind: "verify-layers" },
		{ kind: "copy-disks", disks: [disk], parallel: 1, owner },
		{ kind: "check-disks", disks: [disk] },
		attach,
	];
};

const noSpace = ({ free, path }: RestoreDiskFacts, disk: RestoreDiskPlan): Why =>
	disk.bytes <= free
		? undefined
		: refuse(
				"STORAGE_NO_SPACE",
				`the new disk takes up to ${disk.bytes} bytes, ${free} bytes are free beside ${path}`,
				{ needed: disk.bytes, free },
			);

/** Decides the restore of one disk. Refuses with REFUSED, EXISTS, NOT_FOUND, VERIFY_FAILED and STORAGE_NO_SPACE; nothing has been written then. */
export const planRestoreDisk = (facts: RestoreDiskFacts): RestorePlan | Refusal => {
	const { found, vm, request, view, target, path } = facts;
	const reads = found === null ? null : readLayers(found.chain.members, found.backup);
	const refusal =
		whyNotReadable(facts, reads) ??
		whyNotQuick(view.id, facts.quick) ??
		ofDisk(facts, reads) ??
		ofVm(facts);
	if (refusal !== undefined) return refusal;
	const layers = reads?.disks.find((one) => one.target === request.disk)?.layers ?? [];
	const [top] = layers;
	if (found === null || reads === null || top === undefined) {
		return refuse("INTERNAL", `backup ${view.id} was neither found nor refused`);
	}
	const disk: RestoreDiskPlan = {
		target: request.disk,
		layer: top.path,
		path,
		format: "qcow2",
		virtualSize: top.layer.virtualSize,
		bytes: restoredBytes(layers),
	};
	const space = noSpace(facts, disk);
	if (space !== undefined) return space;
	const quick = facts.quick !== null;
	return {
		type: "Restore",
		mode: "disk",
		vm: { uuid: found.chain.vm, name: found.backup.manifest.vm.name },
		repository: found.repository,
		reason: `disk ${request.disk} of backup ${view.id} as ${target} of VM ${vm.name}`,
		explain: [
			quick
				? `${path} stands on ${top.path} until it is pulled in`
				: `${top.path} is written to ${path}`,
			`it is attached to VM ${vm.name} as ${target}${vm.run === undefined ? "" : " while it runs"}`,
		],
		warnings: facts.quick?.warnings ?? [],
		steps: stepsOf(facts, reads, disk),
		backup: found.backup.manifest.identity.id,
		chain: found.chain.id,
		ancestry: reads.ancestry.map((one) => one.path),
		xml: "",
		uuid: vm.uuid,
		name: vm.name,
		nvram: null,
		tpm: null,
		disks: [{ target, path }],
		quick,
	};
};
