// Block operations on the fake world's VMs: switching to overlays, merging, pulling.
import { KnibError, type LongOperation } from "@knib/core";
import { guestView, mergeDown } from "./fake-copies.ts";
import { disksIn, withDiskOn } from "./fake-definition.ts";
import {
	chainAt,
	type FakeJob,
	type FakeVm,
	type FakeWorld,
	imageAt,
	touch,
} from "./fake-world.ts";

/** Puts a disk of all the VM's definitions onto another image. */
const moveDisk = (world: FakeWorld, vm: FakeVm, target: string, path: string): void => {
	const { format, kind } = imageAt(world, path);
	const moved = { target, path, format, kind };
	if (vm.inactive !== undefined) vm.inactive = withDiskOn(vm.inactive, moved);
	if (vm.live !== undefined) vm.live = withDiskOn(vm.live, moved);
};

/** The image that a disk of the VM is on now. */
export const activeOf = (vm: FakeVm, target: string): string => {
	const disk = disksIn(vm.live ?? vm.inactive ?? "").get(target);
	if (disk === undefined)
		throw new KnibError("NOT_FOUND", `the VM ${vm.name} has no disk ${target}`);
	return disk.path;
};

/** The port's `switchToOverlays`. */
export const switchDisks = (
	world: FakeWorld,
	vm: FakeVm,
	overlays: readonly { readonly target: string; readonly path: string }[],
): void => {
	for (const { target } of overlays) activeOf(vm, target);
	for (const { path } of overlays) chainAt(world, path);
	for (const { target, path } of overlays) moveDisk(world, vm, target, path);
};

const refuse = (message: string): KnibError => new KnibError("REFUSED", message);

/** The port's `commit`; a job that somebody left is taken up when it is this merge. */
export const commitDisk = (
	world: FakeWorld,
	vm: FakeVm,
	disk: { readonly target: string; readonly base: string; readonly top: string },
	options: LongOperation,
): void => {
	const { target, base, top } = disk;
	const left = vm.jobs.get(target);
	if (left !== undefined && left.base !== base) {
		throw new KnibError("VM_BUSY", `${target} is being copied to ${left.base}`);
	}
	if (vm.live === undefined && vm.saved !== undefined) {
		throw new KnibError("VM_STATE", `the VM ${vm.name} has a saved state`);
	}
	const active = activeOf(vm, target);
	const paths = chainAt(world, active).map((link) => link.path);
	vm.jobs.delete(target);
	if (!paths.includes(top)) return;
	if (paths.indexOf(base) <= paths.indexOf(top)) throw refuse(`${base} is not below ${top}`);
	options.onProgress?.(0.5);
	if (options.signal?.aborted === true) throw new KnibError("CANCELLED", "the merge was cancelled");
	mergeDown(world, active, { base, top });
	if (active === top) moveDisk(world, vm, target, base);
	options.onProgress?.(1);
};

/** The port's `endBlockJob`. */
export const endJob = (
	world: FakeWorld,
	vm: FakeVm,
	target: string,
	how: "pivot" | "abort",
): void => {
	const job: FakeJob | undefined = vm.jobs.get(target);
	if (job === undefined) return;
	vm.jobs.delete(target);
	if (how === "pivot" && job.ready) commitDisk(world, vm, { target, ...job }, {});
};

/** The port's `pull`. */
export const pullDisk = (
	world: FakeWorld,
	vm: FakeVm,
	target: string,
	options: LongOperation,
): void => {
	const active = activeOf(vm, target);
	options.onProgress?.(0.5);
	if (options.signal?.aborted === true) throw new KnibError("CANCELLED", "the pull was cancelled");
	const image = imageAt(world, active);
	const view = guestView(world, active);
	for (const [cluster, value] of view) image.clusters.set(cluster, value);
	image.backing = null;
	touch(world, image);
	options.onProgress?.(1);
};
