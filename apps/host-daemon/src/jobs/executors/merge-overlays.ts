// Merges knib's older overlays into the image below them, each with its own proof (SPEC 2.4, SAFETY F2, F13, F14), and retires them.
import {
	asKnibError,
	type FileUse,
	type ImageInfo,
	KnibError,
	type MergeFacts,
	type MergePlan,
	type Outcomes,
	ranSince,
	type Vm,
	whyNotMerge,
} from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { GONE } from "../gone-files.ts";
import { uncoverBases } from "./cover-bases.ts";
import { retireFiles } from "./retire-file.ts";

/** Images in the same directories that stand on a file of the merge without being in the VM's chain: clones and branches that no definition names. */
const strangersOn = async (
	context: StepContext,
	merge: MergePlan,
	chain: readonly ImageInfo[],
): Promise<readonly FileUse[]> => {
	const { images } = context.deps;
	const mine = new Set(chain.map((image) => image.path));
	const uses: FileUse[] = [];
	for (const { path, backing } of await images.imagesBeside(merge.base.path)) {
		if (mine.has(path) || path.endsWith(GONE) || backing === null) continue;
		const file = await images.identity(backing);
		uses.push({ path: backing, file, vm: path, where: "backing", writable: false });
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

const pathsOf = (merge: MergePlan): readonly string[] => [...merge.overlays, merge.base.path];

/** What each file of a merge must not differ from: what the tracker recorded before this job, and what the switch of this job froze. */
const proofsOf = async (context: StepContext, merge: MergePlan): Promise<MergeFacts["proofs"]> => {
	const frozen = context.outcomes.frozen?.disks.find((disk) => disk.target === merge.target);
	const expected = [merge.recorded, ...(frozen?.below ?? [])].filter(
		(file) => file !== null && pathsOf(merge).includes(file.path),
	);
	const proofs = expected.map(async (before) =>
		before === null ? [] : [{ now: await context.deps.images.facts(before.path), before }],
	);
	return (await Promise.all(proofs)).flat();
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
	const files = new Map<string, string | null>();
	for (const path of pathsOf(merge)) files.set(path, await images.identity(path));
	const reason = whyNotMerge(merge, {
		vm: found.vm.uuid,
		images: found.images,
		uses,
		files,
		proofs: context.repeated ? [] : await proofsOf(context, merge),
	});
	if (reason !== undefined) throw new KnibError("REFUSED", reason);
};

type Merged = NonNullable<Outcomes["merged"]>[number];

/** Merges one run, unless an earlier attempt has, and reads the base at once, while the VM keeps others from it. */
const mergeOne = async (
	context: StepContext,
	merge: MergePlan,
	onProgress: (fraction: number) => void,
): Promise<Merged> => {
	const { hypervisor, images } = context.deps;
	const found = await findDisk(context, merge.target);
	if (found === undefined) {
		throw new KnibError("REFUSED", `disk ${merge.target} has left the VM; its overlay is kept`);
	}
	const before = isMerged(merge, found.images);
	if (!before) {
		await assertSafe(context, merge, found);
		const range = { target: merge.target, base: merge.base.path, top: merge.top };
		await hypervisor.commit(found.vm.uuid, range, { onProgress });
	}
	// What an earlier life of the daemon began is only known when the VM has run all along.
	const known = (!before && !context.repeated) || ranSince(found.vm.run, context.outcomes.frozen);
	const { target, overlays } = merge;
	const base = known ? await images.facts(merge.base.path) : null;
	return { target, into: merge.base.path, overlays: [...overlays], base };
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

type Leftover = { readonly target: string; readonly reason: string };

/** Files that nothing needs any more; what stays of them is a warning, since the VM does not carry it. */
const retire = async (context: StepContext, paths: readonly string[]): Promise<string[]> => {
	try {
		const kept = await retireFiles(context.deps, context.plan.vm.uuid, paths);
		return kept.map(({ path, reason }) => `${path} stays beside the disk: ${reason}`);
	} catch (thrown) {
		const reason = asKnibError(thrown).message;
		return paths.map((path) => `${path} stays beside the disk: ${reason}`);
	}
};

/** Each disk by itself: what cannot be merged now stays as an extra layer, fully usable, with the reason (SPEC 2.11). */
export const mergeOverlays: Executor<"merge-overlays"> = {
	run: async (step, context): Promise<Outcomes> => {
		const leftover: Leftover[] = [];
		const made = new Map<MergePlan, Merged>();
		await context.deps.hypervisor.settle(context.plan.vm.uuid);
		for (const [index, merge] of step.merges.entries()) {
			const progress = (fraction: number): void =>
				context.progress(Math.round((index + fraction) * 100), step.merges.length * 100, "percent");
			try {
				made.set(merge, await mergeOne(context, merge, progress));
			} catch (thrown) {
				leftover.push({ target: merge.target, reason: asKnibError(thrown).message });
			}
		}
		const done = await readBack(context, [...made.keys()]);
		for (const { target } of [...made.keys()].filter((merge) => !done.includes(merge))) {
			leftover.push({ target, reason: "the merge left other images than expected" });
		}
		const merged = done.flatMap((merge) => merge.overlays);
		await uncoverBases(context, context.plan.vm.uuid, merged);
		const stays = await retire(context, merged);
		const extra = leftover.map((one) => `extra layer present on ${one.target}: ${one.reason}`);
		return {
			leftover,
			merged: done.flatMap((merge) => made.get(merge) ?? []),
			warnings: [...extra, ...stays],
		};
	},
};
