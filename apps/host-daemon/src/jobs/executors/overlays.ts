import {
	type DiskImages,
	type ImageInfo,
	KnibError,
	type Outcomes,
	type OverlayPlan,
	type Vm,
	type VmDisk,
} from "@knib/core";
import { gatherDisk, requireVm } from "../../facts/gather-vm.ts";
import type { Executor, StepContext } from "../context.ts";
import { asNoSpace } from "../no-space.ts";
import { coverBases, uncoverBases } from "./cover-bases.ts";
import { withFrozenGuest } from "./freeze.ts";
import { assertSafe } from "./merge-overlays.ts";
import { retireFiles } from "./retire-file.ts";

const diskOf = (vm: Vm, target: string): VmDisk => {
	const disk = vm.disks.find((one) => one.target === target);
	if (disk === undefined) throw new KnibError("VM_STATE", `disk ${target} has left VM ${vm.name}`);
	return disk;
};

/** The plan was made on facts; right before they are acted on they are read again (SAFETY F5). */
const assertUnchanged = async (images: DiskImages, vm: Vm, plan: OverlayPlan): Promise<void> => {
	const disk = diskOf(vm, plan.target);
	if (disk.path !== plan.base.path) {
		throw new KnibError(
			"VM_STATE",
			`disk ${plan.target} of VM ${vm.name} is on another image than when the backup was planned`,
		);
	}
	if (disk.busy)
		throw new KnibError("VM_BUSY", `another program's block job runs on disk ${plan.target}`);
	const info = await images.info(plan.base.path, plan.base.format);
	if (info.virtualSize !== plan.size) {
		throw new KnibError(
			"VM_STATE",
			`disk ${plan.target} of VM ${vm.name} was resized while its backup began`,
		);
	}
};

const sameHeader = (info: ImageInfo, plan: OverlayPlan): boolean =>
	info.virtualSize === plan.size &&
	info.backing?.path === plan.base.path &&
	info.backing.format === plan.base.format;

const assertOverlay = async (images: DiskImages, plan: OverlayPlan): Promise<void> => {
	const info = await images.info(plan.overlay, "qcow2");
	if (!sameHeader(info, plan)) {
		throw new KnibError("VERIFY_FAILED", `overlay ${plan.overlay} is not what it was made as`);
	}
};

/** qemu opens the overlay of a VM that runs at once; that of one that is off only when the VM is started, when it is too late to find out that it cannot (SAFETY F12). */
const assertOpens = async (context: StepContext, plan: OverlayPlan): Promise<void> => {
	const { deps } = context;
	if (context.plan.type !== "Backup" || context.plan.vmState !== "shut off") return;
	const { qemuUser } = await deps.machine.capabilities();
	if (qemuUser === null) return;
	const closed = await deps.machine.unreadable(qemuUser, [plan.base.path, plan.overlay]);
	// A base that it cannot open either is given to it by libvirt, and the overlay with it.
	if (!closed.includes(plan.overlay) || closed.includes(plan.base.path)) return;
	throw new KnibError(
		"REFUSED",
		`qemu's user (uid ${qemuUser.uid}, gid ${qemuUser.gid}) can open ${plan.base.path} and could not open an overlay beside it: VM ${context.plan.vm.name} would not start`,
		{ details: { hint: "let new files there be given owner, mode and ACL of the disk" } },
	);
};

/** Makes the overlays beside their bases, reads them back and has them opened. */
export const makeOverlays: Executor<"make-overlays"> = {
	run: async (step, context) => {
		const { deps } = context;
		// A libvirt that has gone since the plan was made is noticed while there is nothing to take back.
		await deps.hypervisor.versions();
		for (const disk of step.disks) {
			await deps.images
				.createOverlay({
					path: disk.overlay,
					backing: disk.base.path,
					backingFormat: disk.base.format,
					size: disk.size,
					like: disk.base.path,
				})
				.catch((thrown: unknown) => {
					throw asNoSpace(thrown, "STORAGE_NO_SPACE", `no overlay of ${disk.target} could be made`);
				});
			await assertOverlay(deps.images, disk);
			await assertOpens(context, disk);
		}
		return {};
	},
	undo: async (step, { deps, plan }) => {
		const paths = step.disks.map((disk) => disk.overlay);
		const [stays] = await retireFiles(deps, plan.vm.uuid, paths);
		if (stays !== undefined) throw new KnibError("REFUSED", stays.reason);
	},
};

const assertSwitched = async (
	context: StepContext,
	disks: readonly OverlayPlan[],
): Promise<void> => {
	const { hypervisor, images } = context.deps;
	const vm = await requireVm(hypervisor, context.plan.vm.uuid);
	for (const disk of disks) {
		if (diskOf(vm, disk.target).path !== disk.overlay) {
			throw new KnibError(
				"VERIFY_FAILED",
				`VM ${vm.name} does not write to the new overlay of ${disk.target}`,
			);
		}
		await assertOverlay(images, disk);
		const base = await images.info(disk.base.path, disk.base.format);
		if (base.virtualSize !== disk.size) {
			throw new KnibError(
				"VM_STATE",
				`disk ${disk.target} was resized during the switch to its overlay`,
			);
		}
	}
};

const assertAllUnchanged = async (
	context: StepContext,
	disks: readonly OverlayPlan[],
): Promise<void> => {
	const vm = await requireVm(context.deps.hypervisor, context.plan.vm.uuid);
	for (const disk of disks) await assertUnchanged(context.deps.images, vm, disk);
};

/** The files as they stand from now on, read before anything is copied of them (SAFETY F15). */
const freezeFacts = async (
	context: StepContext,
	disks: readonly OverlayPlan[],
): Promise<NonNullable<Outcomes["frozen"]>> => {
	const { hypervisor, images } = context.deps;
	const vm = await requireVm(hypervisor, context.plan.vm.uuid);
	const tracked = await Promise.all(
		disks.map(async ({ target, overlay }) => {
			const { images: chain, top, below, problem } = await gatherDisk(images, diskOf(vm, target));
			const size = chain[0]?.virtualSize;
			if (top === null || size === undefined) {
				throw new KnibError("VERIFY_FAILED", problem ?? `the images of ${target} cannot be read`);
			}
			const { inode, fileSystem } = top;
			const file = { path: overlay, inode, fileSystem };
			return { target, virtualSize: size, overlay: file, below: [...below] };
		}),
	);
	await coverBases(context, vm, tracked);
	return { ...(vm.run === undefined ? {} : { run: vm.run }), disks: tracked };
};

const switchNow = async (context: StepContext, disks: readonly OverlayPlan[]): Promise<string> => {
	const { hypervisor, clock } = context.deps;
	await hypervisor.switchToOverlays(
		context.plan.vm.uuid,
		disks.map((disk) => ({ target: disk.target, path: disk.overlay })),
	);
	return clock.now();
};

/** Takes a disk's new overlay out again: what the guest wrote since goes into the image below. */
const switchBack = async (context: StepContext, disk: OverlayPlan): Promise<void> => {
	const { hypervisor, images } = context.deps;
	const vm = await hypervisor.vm(context.plan.vm.uuid);
	if (vm === undefined) return;
	const current = diskOf(vm, disk.target);
	if (current.path === undefined || (current.format !== "qcow2" && current.format !== "raw"))
		return;
	const chain = await images.chain(current.path, current.format);
	const at = chain.findIndex((image) => image.path === disk.overlay);
	if (at < 0) return;
	const { target, base, overlay } = disk;
	const merge = { target, base, top: overlay, overlays: [overlay], recorded: null };
	await assertSafe(context, merge, { vm, images: chain });
	await hypervisor.commit(vm.uuid, { target, base: base.path, top: overlay });
};

/** One instant for all disks: the VM goes on writing to the overlays, what lies below stands still. */
export const switchOverlays: Executor<"switch-overlays"> = {
	run: async (step, context): Promise<Outcomes> => {
		await assertAllUnchanged(context, step.disks);
		if (!step.quiesce) {
			const pointInTime = await switchNow(context, step.disks);
			await assertSwitched(context, step.disks);
			return { pointInTime, frozen: await freezeFacts(context, step.disks) };
		}
		const { value, thawedEarly } = await withFrozenGuest(context, () =>
			switchNow(context, step.disks),
		);
		await assertSwitched(context, step.disks);
		const frozen = await freezeFacts(context, step.disks);
		return { pointInTime: value, thawedEarly, frozen };
	},
	undo: async (step, context) => {
		const { hypervisor } = context.deps;
		const vm = await hypervisor.vm(context.plan.vm.uuid);
		if (vm === undefined) return;
		await hypervisor.settle(vm.uuid);
		const failures: unknown[] = [];
		for (const disk of step.disks) {
			await switchBack(context, disk).catch((error: unknown) => failures.push(error));
		}
		if (failures.length > 0) throw failures[0];
		const overlays = step.disks.map((disk) => disk.overlay);
		await uncoverBases(context, vm.uuid, overlays);
	},
};
