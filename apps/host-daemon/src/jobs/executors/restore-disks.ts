// Writes the layers of a backup into new files, and proves that they hold the same. While a file is being made it carries the job's
// id in its name; it takes its own name once it is proven, and gives it back when the job goes back.
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type DiskImages, type FileOwner, KnibError, type RestoreDiskPlan } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { inParallel } from "../in-parallel.ts";
import { takeOwner } from "./file-owner.ts";
import { releaseHold } from "./restore-hold.ts";
import { copyMachineFiles, removeMachineFiles, requireUnnamed } from "./restore-machine.ts";

const COROUTINES = 8;

/** A file to be made. */
type New = Pick<RestoreDiskPlan, "path">;

/** The name of a disk's file until it is proven. */
export const draftOf = (disk: New, context: StepContext): string =>
	`${disk.path}.knib-restore-${context.job}`;

const bytesReporter = (disks: readonly RestoreDiskPlan[], context: StepContext) => {
	const total = disks.reduce((sum, disk) => sum + disk.bytes, 0);
	const done = new Map<string, number>();
	return (disk: RestoreDiskPlan) => (fraction: number) => {
		done.set(disk.target, disk.bytes * Math.min(1, fraction));
		const sum = [...done.values()].reduce((a, b) => a + b, 0);
		context.progress(Math.round(sum), total, "bytes");
	};
};

/** Rejects with EXISTS for a path that is taken by now. */
export const refuseTaken = async (context: StepContext, path: string): Promise<void> => {
	if (await context.deps.images.exists(path)) {
		throw new KnibError("EXISTS", `${path} was made by somebody else in the meantime`);
	}
};

/** Removes what an attempt at the copy left, also under the passing names that the draft has while it grows. All of them hold the job's id. */
export const removeDraft = async (context: StepContext, disk: New): Promise<void> => {
	const { images } = context.deps;
	const draft = draftOf(disk, context);
	const directory = dirname(draft);
	const names = (await images.exists(directory)) ? await readdir(directory) : [];
	const parts = names.filter((name) => name.startsWith(`${basename(draft)}.`));
	for (const path of [draft, ...parts.map((name) => `${directory}/${name}`)]) {
		if (await images.exists(path)) await images.unlink(path);
	}
};

type CopyOne = {
	readonly disk: RestoreDiskPlan;
	readonly owner: FileOwner;
	readonly onProgress: (fraction: number) => void;
};

const copyOne = async (context: StepContext, { disk, owner, onProgress }: CopyOne) => {
	const { images } = context.deps;
	const path = draftOf(disk, context);
	await refuseTaken(context, disk.path);
	await removeDraft(context, disk);
	await images.convert(
		{
			source: { path: disk.layer, format: "qcow2" },
			target: { path, format: disk.format },
			coroutines: COROUTINES,
		},
		{ signal: context.signal, onProgress },
	);
	await takeOwner(images, path, owner);
	onProgress(1);
};

/** Flattens every disk's layers into a new file, several at a time, and copies NVRAM and TPM state; begun again from the start when repeated. */
export const copyDisks: Executor<"copy-disks"> = {
	run: async (step, context) => {
		await copyMachineFiles(context, step.owner);
		const report = bytesReporter(step.disks, context);
		await inParallel(step.disks, step.parallel, (disk) =>
			copyOne(context, { disk, owner: step.owner, onProgress: report(disk) }),
		);
		return {};
	},
	undo: async (step, context) => {
		for (const disk of step.disks) await removeDraft(context, disk);
		await requireUnnamed(context);
		await removeMachineFiles(context);
	},
};

const checkOne = async (
	context: StepContext,
	disk: RestoreDiskPlan,
	onProgress: (fraction: number) => void,
): Promise<void> => {
	const { images } = context.deps;
	const path = draftOf(disk, context);
	const fail = (why: string): KnibError =>
		new KnibError("VERIFY_FAILED", `the new disk ${disk.target} ${why}`, {
			details: { file: disk.path },
		});
	const info = await images.info(path, disk.format);
	if (info.virtualSize !== disk.virtualSize || info.backing !== undefined) {
		throw fail("has the wrong size or stands on another image");
	}
	const check = disk.format === "qcow2" ? await images.check(path) : { ok: true, message: "" };
	if (!check.ok) throw fail(`is damaged: ${check.message}`);
	const same = await images.compare(
		{ path: disk.layer, format: "qcow2" },
		{ path, format: disk.format },
		{ signal: context.signal, onProgress },
	);
	if (!same.identical) throw fail(`differs from the backup: ${same.message}`);
	await images.sync(path);
	onProgress(1);
};

/** Gives a proven file its own name; a file that somebody else made there is EXISTS and stays. */
export const settleName = async (context: StepContext, disk: New): Promise<void> => {
	const { images } = context.deps;
	await images.rename(draftOf(disk, context), disk.path);
	await images.sync(disk.path);
};

const isSameFile = async (images: DiskImages, a: string, b: string): Promise<boolean> => {
	const [one, other] = await Promise.all([images.facts(a), images.facts(b)]);
	return one.inode === other.inode && one.fileSystem === other.fileSystem;
};

/** Takes a file's own name away again. With a draft beside it the file is somebody else's, unless both are names of one file: the daemon died between giving the one and taking the other. */
export const unsettleName = async (context: StepContext, disk: New): Promise<void> => {
	const { images } = context.deps;
	const draft = draftOf(disk, context);
	if (!(await images.exists(disk.path))) return;
	const ours = !(await images.exists(draft)) || (await isSameFile(images, draft, disk.path));
	if (ours) await images.rename(disk.path, draft);
};

/** Compares every new disk with what the backup reads as, and lets it have its name. The repository is not needed after this: the hold is given back. */
export const checkDisks: Executor<"check-disks"> = {
	run: async (step, context) => {
		const { images } = context.deps;
		const report = bytesReporter(step.disks, context);
		const drafts: RestoreDiskPlan[] = [];
		for (const disk of step.disks) {
			if (await images.exists(draftOf(disk, context))) drafts.push(disk);
			else if (!(context.repeated && (await images.exists(disk.path)))) {
				throw new KnibError("VERIFY_FAILED", `the new disk ${disk.target} is gone`);
			}
		}
		await inParallel(drafts, 2, (disk) => checkOne(context, disk, report(disk)));
		for (const disk of drafts) await settleName(context, disk);
		await releaseHold(context);
		return {};
	},
	undo: async (step, context) => {
		await requireUnnamed(context);
		for (const disk of step.disks) await unsettleName(context, disk);
	},
};
