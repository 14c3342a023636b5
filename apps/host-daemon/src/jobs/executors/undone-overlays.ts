// Overlays that a restored disk has got since the restore, as backups make them: an undo sets them aside with the disk that they stand
// on. Left where they are they would stand on the old disk, which has that name again, and no later overlay could be merged into it.
import { KnibError, type Vm } from "@knib/core";
import { fileExists } from "../../hypervisor/files.ts";
import type { StepContext } from "../context.ts";
import { type KeptRecord, undoneOf, writeRecord } from "../kept-record.ts";
import { requireOff } from "./switch-parts.ts";

type KeptDisk = KeptRecord["disks"][number];

const aboveOf = async (
	{ deps }: StepContext,
	vm: Vm,
	{ target, path }: KeptDisk,
): Promise<NonNullable<KeptDisk["above"]>> => {
	const disk = vm.disks.find((one) => one.target === target);
	const top = disk?.path;
	if (disk === undefined || top === undefined || top === path || !(await fileExists(top)))
		return [];
	const chain = await deps.images.chain(top, "qcow2");
	const at = chain.findIndex((image) => image.path === path);
	return chain.slice(0, Math.max(at, 0)).map((image) => ({ path: image.path, format: "qcow2" }));
};

/** Writes into the record what stands on the restored disks, before anything is renamed; what is written already stays. Rejects with REFUSED when another VM uses one of these files, or the VM is not off. */
export const noteAbove = async (
	context: StepContext,
	file: string,
	record: KeptRecord,
): Promise<KeptRecord> => {
	if (record.disks.some(({ above }) => above !== undefined)) return record;
	const vm = await requireOff(context);
	const disks = await Promise.all(
		record.disks.map(async (disk) => ({ ...disk, above: await aboveOf(context, vm, disk) })),
	);
	const paths = disks.flatMap(({ above, path }) => [...above.map((one) => one.path), path]);
	const uses = await context.deps.hypervisor.fileUses();
	const other = uses.find((use) => paths.includes(use.path) && use.vm !== vm.uuid);
	if (other !== undefined) {
		throw new KnibError("REFUSED", `${other.path} is used by VM ${other.vm} too: it stays`);
	}
	const noted = { ...record, disks };
	await writeRecord(file, noted);
	return noted;
};

/** Gives them the names of what was undone, and lets them stand on each other by these. Repeatable. */
export const setAboveAside = async (
	{ deps }: StepContext,
	{ disks, id }: KeptRecord,
): Promise<void> => {
	for (const { path, format, above = [] } of disks) {
		for (const [index, image] of above.entries()) {
			const aside = undoneOf(image.path, id);
			if (!(await fileExists(aside))) await deps.images.rename(image.path, aside);
			const below = above[index + 1] ?? { path, format };
			const backing = { path: undoneOf(below.path, id), format: below.format };
			await deps.images.rebaseUnsafe(aside, backing);
		}
	}
};
