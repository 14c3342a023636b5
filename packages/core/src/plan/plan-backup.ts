// Decides a backup: full, incremental or isolated, with the reason, and the steps that make it. Pure; everything it reads is in
// BackupFacts, everything it decides is in the plan.
import type { Consistency } from "../domain/manifest.ts";
import type { Vm } from "../domain/vm.ts";
import { refuseBlockJob } from "./block-job.ts";
import { detachedOverlays } from "./detached.ts";
import type { BackupFacts, DiskFacts } from "./facts.ts";
import { planMerges, type Recorded } from "./merges.ts";
import { overlayPath } from "./overlay-name.ts";
import { type BackupPlan, isRefusal, type Refusal, refuse } from "./plan.ts";
import { proveBase } from "./prove-base.ts";
import { selectDisks } from "./select-disks.ts";
import type { ImageRef, LayerPlan, MergePlan, OverlayPlan, Step } from "./steps.ts";

const refuseState = (facts: BackupFacts): Refusal | undefined => {
	const { vm, request } = facts;
	if (vm.state === "other") {
		return refuse(
			"VM_STATE",
			`VM ${vm.name} is in a state in which it cannot be backed up; it must be running, paused or shut off`,
		);
	}
	if (!vm.persistent && !request.isolated) {
		return refuse(
			"VM_STATE",
			`VM ${vm.name} is transient: whoever starts it next would start it below knib's overlay`,
			{
				hint: "take an isolated backup with --isolated, or define the VM with `virsh define`",
			},
		);
	}
	if (vm.run === undefined && vm.checkpoints > 0 && !vm.managedSave) {
		return refuse(
			"VM_STATE",
			`VM ${vm.name} is shut off and has libvirt checkpoints, which do not allow an overlay`,
			{
				hint: "start the VM, or remove its checkpoints with `virsh checkpoint-delete`",
			},
		);
	}
	if (!request.quiesce) return undefined;
	if (vm.state !== "running") {
		return refuse("VM_STATE", `VM ${vm.name} is ${vm.state}: only a running guest can be quiesced`);
	}
	if (facts.agentAnswers !== true) {
		return refuse(
			"AGENT_SILENT",
			`the guest agent of VM ${vm.name} did not answer, so its file systems cannot be frozen`,
		);
	}
	return undefined;
};

/** How the backup relates to its chain, and why. */
type Shape = {
	readonly kind: BackupPlan["kind"];
	readonly reason: string;
	/** Position of the parent's overlay per target; empty for a self-contained backup. */
	readonly indexes: ReadonlyMap<string, number>;
	/** Why the old open chain ends because of this backup; null when it does not. */
	readonly endsOld: string | null;
};

const SELF_CONTAINED = { indexes: new Map<string, number>(), endsOld: null };

const shapeOf = (facts: BackupFacts, chosen: readonly DiskFacts[]): Shape => {
	if (facts.vm.managedSave) {
		const reason = "isolated: the VM has a managed-save image, so it is only read";
		return { ...SELF_CONTAINED, kind: "isolated", reason };
	}
	if (facts.request.isolated)
		return { ...SELF_CONTAINED, kind: "isolated", reason: "isolated: as asked for" };
	if (facts.open === null) return { ...SELF_CONTAINED, kind: "full", reason: fullReason(facts) };
	const wantsOther =
		facts.offering.repository !== undefined &&
		facts.offering.repository !== facts.open.repository.id;
	const proof = wantsOther
		? { reason: "the offering names another repository" }
		: proveBase(facts.open, chosen, facts.vm.run);
	if ("reason" in proof) {
		const { reason } = proof;
		return { ...SELF_CONTAINED, kind: "full", reason: `full: ${reason}`, endsOld: reason };
	}
	const count = facts.open.chain.members.length + 1;
	const size = facts.chainSize < 1 ? "" : ` of ${facts.chainSize}`;
	const differs = [
		...proof.whole.map(({ target, reason }) => `${target} in full: ${reason}`),
		...proof.gone.map((target) => `${target} is no longer part of the backup`),
	];
	return {
		kind: "incremental",
		reason: [`incremental: ${count}${size} in its chain`, ...differs].join("; "),
		indexes: proof.indexes,
		endsOld: null,
	};
};

const fullReason = (facts: BackupFacts): string => {
	if (facts.chainSize === 1) return "full: the chain size is 1";
	if (facts.lastEnd !== null) return `full: the previous chain has ended (${facts.lastEnd})`;
	return "full: the VM has no open chain";
};

const refOf = (image: { path: string; format: string }): ImageRef => ({
	path: image.path,
	format: image.format === "raw" ? "raw" : "qcow2",
});

const planLayer = (
	facts: DiskFacts,
	index: number | undefined,
	parent: string | null,
): LayerPlan => {
	const { target } = facts.disk;
	const virtualSize = facts.images[0]?.virtualSize ?? 0;
	const taken = index === undefined ? facts.images : facts.images.slice(0, index + 1);
	const bytes = taken.reduce((sum, image) => sum + image.actualSize, 0);
	const old = facts.images.some((image) => image.compat === "0.10");
	const source = old ? ({ source: "qcow2 version 2" } as const) : {};
	if (index === undefined) {
		const images = facts.images.slice(0, 1).map(refOf);
		return { target, virtualSize, mode: "whole", images, parent: null, bytes, ...source };
	}
	return {
		...source,
		target,
		virtualSize,
		mode: "increment",
		images: taken.map(refOf).reverse(),
		parent,
		bytes,
	};
};

const planOverlay = (facts: DiskFacts, backup: string, scratch: string): OverlayPlan => {
	const top = facts.images[0];
	const base: ImageRef = { path: top?.path ?? "", format: top?.format === "raw" ? "raw" : "qcow2" };
	const block = facts.disk.source === "block" || facts.top?.kind === "block";
	const overlay = overlayPath(base.path, facts.disk.target, backup, block ? scratch : undefined);
	return { target: facts.disk.target, base, overlay, size: top?.virtualSize ?? 0 };
};

const planBackupMerges = (
	chosen: readonly DiskFacts[],
	overlays: readonly OverlayPlan[],
	shape: Shape,
	ends: boolean,
	recorded: Recorded,
): readonly MergePlan[] =>
	chosen.flatMap((facts) => {
		const overlay = overlays.find((one) => one.target === facts.disk.target);
		if (overlay === undefined) return [];
		if (shape.kind === "isolated") {
			const { target, base, overlay: top } = overlay;
			return [{ target, base, top, overlays: [top], recorded: null }];
		}
		const made = { path: overlay.overlay, format: "qcow2", snapshots: [] };
		return planMerges(overlay.target, [made, ...facts.images], { keepTop: !ends, recorded });
	});

/** Overlays on disks that the backup leaves out: the chain that they belonged to goes on no more. */
const planLeftOut = (
	facts: BackupFacts,
	{ chosen, shape }: Pick<Decided, "chosen" | "shape">,
): readonly MergePlan[] =>
	shape.kind === "isolated" || facts.vm.managedSave
		? []
		: facts.disks
				.filter((one) => !chosen.includes(one))
				.flatMap(({ disk, images }) =>
					planMerges(disk.target, images, { keepTop: false, recorded: recordedBy(facts) }),
				);

const recordedBy =
	(facts: BackupFacts): Recorded =>
	(path) =>
		facts.open?.chain.tracker?.disks
			.flatMap((disk) => disk.below)
			.find((file) => file.path === path) ?? null;

const consistencyOf = (vm: Vm, quiesce: boolean): Consistency => {
	if (vm.managedSave) return "saved state not included";
	if (vm.run === undefined) return "shut off";
	return quiesce ? "quiesced" : "crash-consistent";
};

type Decided = {
	readonly chosen: readonly DiskFacts[];
	readonly shape: Shape;
	readonly ends: string | null;
	readonly parentDirectory: string | null;
	readonly chain: string;
};

const stepsOf = (facts: BackupFacts, decided: Decided): readonly Step[] => {
	const { chosen, shape, ends } = decided;
	const overlays = facts.vm.managedSave
		? []
		: chosen.map((disk) => planOverlay(disk, facts.backup, facts.scratch));
	const layers = chosen.map((disk) =>
		planLayer(disk, shape.indexes.get(disk.disk.target), decided.parentDirectory),
	);
	const merges = [
		...planBackupMerges(chosen, overlays, shape, ends !== null, recordedBy(facts)),
		...planLeftOut(facts, decided),
	];
	const detached = shape.kind === "isolated" ? [] : detachedOverlays(facts.open, facts.disks);
	const during = facts.offering.compress && facts.offering.compressWhen === "during";
	const old = facts.open?.chain.id;
	return [
		{ kind: "lease" },
		...(overlays.length === 0
			? []
			: [
					{ kind: "make-overlays", disks: overlays } as const,
					{ kind: "switch-overlays", disks: overlays, quiesce: facts.request.quiesce } as const,
				]),
		{
			kind: "copy-layers",
			layers,
			parallel: facts.parallelDisks,
			rate: facts.copyRate,
			compression: during ? facts.offering.compressionLibrary : null,
		},
		{ kind: "check-layers", layers },
		{ kind: "save-machine" },
		{ kind: "publish" },
		{ kind: "confirm" },
		...(shape.endsOld !== null && old !== undefined
			? [{ kind: "end-chain", chain: old, reason: shape.endsOld } as const]
			: []),
		...(merges.length === 0 ? [] : [{ kind: "merge-overlays", merges } as const]),
		...(detached.length === 0 ? [] : [{ kind: "merge-detached", disks: detached } as const]),
		...(shape.kind !== "isolated" && ends === null
			? [{ kind: "record-tracker", chain: decided.chain } as const]
			: []),
	];
};

const endOf = (facts: BackupFacts, shape: Shape): string | null => {
	if (shape.kind === "isolated") return "isolated: never a parent";
	const members = shape.kind === "incremental" ? (facts.open?.chain.members.length ?? 0) : 0;
	const size = facts.chainSize;
	return size > 0 && members + 1 >= size ? `chain reached ${members + 1} of ${size}` : null;
};

const warningsOf = (
	facts: BackupFacts,
	skipped: BackupPlan["skipped"],
	chosen: readonly DiskFacts[],
): readonly string[] => [
	...skipped
		.filter((disk) => !/^(a CD-ROM|a floppy)$/.test(disk.reason))
		.map((disk) => `disk ${disk.target} is not in this backup: ${disk.reason}`),
	...chosen
		.filter((disk) => disk.images.some((image) => image.snapshots.length > 0))
		.map((disk) => `the internal snapshots of ${disk.disk.target} are not in this backup`),
	...(facts.vm.managedSave ? [`the saved state of VM ${facts.vm.name} is not in this backup`] : []),
];

/** The plan of a backup, or why it cannot be made now. */
export const planBackup = (facts: BackupFacts): BackupPlan | Refusal => {
	const refused = refuseState(facts) ?? refuseBlockJob(facts.vm.name, facts.disks);
	if (refused !== undefined) return refused;
	const { request, vm, offering } = facts;
	const picked = selectDisks(facts.disks, {
		only: request.disks,
		exclude: request.excludeDisks,
		excludedForVm: facts.excluded,
	});
	if (isRefusal(picked)) return picked;
	const shape = shapeOf(facts, picked.chosen);
	const ends = endOf(facts, shape);
	const parent =
		shape.kind === "incremental" ? facts.open?.chain.members.at(-1)?.manifest : undefined;
	const repository =
		parent === undefined ? facts.repository : (facts.open?.repository ?? facts.repository);
	if (isRefusal(repository)) return repository;
	const directory = parent === undefined ? null : backupDirectory(parent.identity);
	const chain = parent?.identity.chain ?? facts.newChain;
	const steps = stepsOf(facts, {
		chosen: picked.chosen,
		shape,
		ends,
		parentDirectory: directory,
		chain,
	});
	return {
		type: "Backup",
		backup: facts.backup,
		vm: { uuid: vm.uuid, name: vm.name },
		repository: { id: repository.id, name: repository.name },
		kind: shape.kind,
		reason: shape.reason,
		explain: explainBackup(facts, shape, ends),
		warnings: warningsOf(facts, picked.skipped, picked.chosen),
		steps,
		chain,
		sequence: (parent?.identity.sequence ?? 0) + 1,
		openTips: facts.openTips?.[repository.id],
		parent:
			parent === undefined
				? null
				: { id: parent.identity.id, identityDigest: parent.identityDigest },
		vmState: vm.state,
		createdAt: facts.now,
		nonce: facts.nonce,
		consistency: consistencyOf(vm, request.quiesce),
		offering,
		labels: request.labels,
		skipped: picked.skipped,
		endsChain: ends,
		tracked: shape.kind !== "isolated" && ends === null,
	};
};

/** Name of a backup's directory in its chain: `<sequence>-<id>`. */
export const backupDirectory = (identity: {
	readonly sequence: number;
	readonly id: string;
}): string => `${String(identity.sequence).padStart(4, "0")}-${identity.id}`;

const explainPlace = ({ open, repository }: BackupFacts, shape: Shape): string => {
	const next = isRefusal(repository)
		? `none: ${repository.message}`
		: `${repository.name}: ${repository.reason}`;
	if (shape.kind !== "incremental") return `repository ${next}`;
	const stays = `repository ${open?.repository.name}: its chain is there`;
	const moves = isRefusal(repository) || repository.id !== open?.repository.id;
	return moves ? `${stays}; the next chain: ${next}` : stays;
};

const explainBackup = (
	facts: BackupFacts,
	shape: Shape,
	ends: string | null,
): readonly string[] => [
	shape.reason,
	explainPlace(facts, shape),
	...(shape.endsOld === null ? [] : [`the open chain ends: ${shape.endsOld}`]),
	...(ends === null || shape.kind === "isolated"
		? []
		: [`the chain ends with this backup: ${ends}`]),
];
