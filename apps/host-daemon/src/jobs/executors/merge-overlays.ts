// Merges knib's older overlays into the image below them, each with its own proof (SPEC 2.4, SAFETY F2, F13, F14), and retires them.
import {
	asKnibError,
	type FileUse,
	type ImageInfo,
	KnibError,
	type MergePlan,
	type Outcomes,
	type Vm,
	whyNotMerge,
} from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { GONE } from "../gone-files.ts";
import { retireFiles } from "./retire-file.ts";

/** Images in the same directories that stand on a file of the merge without being in the VM's chain: clones and branches that no definition names. */
const strangersOn = async (
	context: StepContext,
	merge: MergePlan,
	chain: readonly ImageInfo[],
): Promise<readonly FileUse[]> => {
	const mine = new Set(chain.map((image) => image.path));
	const touched = new Set([merge.base.path, ...merge.overlays]);
	const uses: FileUse[] = [];
	for (const one of await context.deps.images.imagesBeside(merge.base.path)) {
		if (mine.has(one.path) || one.path.endsWith(GONE) || one.backing === null) continue;
		if (touched.has(one.backing)) {
			uses.push({ path: one.backing, vm: one.path, where: "backing", writable: false });
		}
	}
	return uses;
};

type Found = { readonly vm: Vm; readonly images: readonly ImageInfo[] };

const imagesOf = async (
	context: StepContext,
	vm: Vm | undefined,
	target: string,
): Promise<Found | undefined> => {
	const disk = vm?.disks.find((one) => one.target === target);
	if (vm === undefined || disk?.path === undefined) return undefined;
	if (disk.format !== "qcow2" && disk.format !== "raw") return undefined;
	return { vm, images: await context.deps.images.chain(disk.path, disk.format) };
};

const findDisk = async (context: StepContext, target: string): Promise<Found | undefined> =>
	imagesOf(context, await context.deps.hypervisor.vm(context.plan.vm.uuid), target);

/** Merged already: the base is in the chain and none of the overlays is. */
const isMerged = (merge: MergePlan, images: readonly ImageInfo[]): boolean => {
	const paths = images.map((image) => image.path);
	return paths.includes(merge.base.path) && merge.overlays.every((path) => !paths.includes(path));
};

/** The proof of a merge, made on facts read now (F2, F13, F14). Rejects with REFUSED and the reason. */
export const assertSafe = async (
	context: StepContext,
	merge: MergePlan,
	found: Found,
): Promise<void> => {
	const { hypervisor, images } = context.deps;
	if (found.vm.managedSave) {
		throw new KnibError(
			"VM_STATE",
			`VM ${found.vm.name} has a managed-save image, which names the overlay`,
		);
	}
	const uses = [
		...(await hypervisor.fileUses()),
		...(await strangersOn(context, merge, found.images)),
	];
	const reason = whyNotMerge(merge, {
		vm: found.vm.uuid,
		images: found.images,
		uses,
		base: context.repeated ? null : await images.facts(merge.base.path),
	});
	if (reason !== undefined) throw new KnibError("REFUSED", reason);
};

/** Merges one run, unless an earlier attempt has. */
const mergeOne = async (
	context: StepContext,
	merge: MergePlan,
	onProgress: (fraction: number) => void,
): Promise<void> => {
	const { hypervisor } = context.deps;
	const found = await findDisk(context, merge.target);
	if (found === undefined) {
		throw new KnibError("REFUSED", `disk ${merge.target} has left the VM; its overlay is kept`);
	}
	if (isMerged(merge, found.images)) return;
	await assertSafe(context, merge, found);
	const range = { target: merge.target, base: merge.base.path, top: merge.top };
	await hypervisor.commit(found.vm.uuid, range, { onProgress });
};

/** What libvirt and the headers say after all merges; a run that is still there is kept. */
const readBack = async (
	context: StepContext,
	merges: readonly MergePlan[],
): Promise<readonly MergePlan[]> => {
	const vm = await context.deps.hypervisor.vm(context.plan.vm.uuid);
	const done: MergePlan[] = [];
	for (const merge of merges) {
		const found = await imagesOf(context, vm, merge.target);
		if (found !== undefined && isMerged(merge, found.images)) done.push(merge);
	}
	return done;
};

/** Each disk by itself: what cannot be merged now stays as an extra layer, fully usable, with the reason (SPEC 2.11). */
export const mergeOverlays: Executor<"merge-overlays"> = {
	run: async (step, context): Promise<Outcomes> => {
		const vm = context.plan.vm.uuid;
		const leftover: { target: string; reason: string }[] = [];
		const merged: MergePlan[] = [];
		await context.deps.hypervisor.settle(vm);
		for (const [index, merge] of step.merges.entries()) {
			const progress = (fraction: number): void =>
				context.progress(Math.round((index + fraction) * 100), step.merges.length * 100, "percent");
			try {
				await mergeOne(context, merge, progress);
				merged.push(merge);
			} catch (thrown) {
				leftover.push({ target: merge.target, reason: asKnibError(thrown).message });
			}
		}
		const done = await readBack(context, merged);
		for (const { target } of merged.filter((merge) => !done.includes(merge))) {
			leftover.push({ target, reason: "the merge left other images than expected" });
		}
		const overlays = done.flatMap((merge) => merge.overlays);
		for (const { path, reason } of await retireFiles(context.deps, vm, overlays)) {
			context.log("warn", `${path} stays beside the disk: ${reason}`);
		}
		return {
			leftover,
			warnings: leftover.map((one) => `extra layer present on ${one.target}: ${one.reason}`),
		};
	},
};
