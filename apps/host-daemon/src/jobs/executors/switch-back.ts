// The way back from a restore in place: for a job that fails, and for `restore undo`.
import { fileExists } from "../../hypervisor/files.ts";
import { type DiskChange, diskXml } from "../../hypervisor/place-disks.ts";
import type { StepContext } from "../context.ts";
import { asideOf, type KeptRecord } from "../kept-record.ts";
import { addName, define, isSame, onAside, rebaseAside, requireOff } from "./switch-parts.ts";

type KeptDisk = KeptRecord["disks"][number];

/** The disks of the definition as they were. */
const asBefore = ({ disks, xml }: KeptRecord): readonly DiskChange[] =>
	disks.map(({ target, lost }): DiskChange => {
		const before = lost === null ? diskXml(xml, target) : undefined;
		return before === undefined ? { target, gone: true } : { target, disk: before };
	});

/** Old images have their own names again; the restored disk gets the name that `aside` gives it. */
const giveNamesBack = async (
	{ deps }: StepContext,
	record: KeptRecord,
	disk: KeptDisk,
	aside: string,
): Promise<void> => {
	const { path, old } = disk;
	const restored = (await fileExists(path)) && !(await isSame(path, asideOf(path, record.id)));
	// A lost disk that was not yet put in place still has its first name.
	if (restored && (old.length > 0 || !(await fileExists(disk.staged)))) {
		await deps.images.rename(path, aside);
	}
	for (const image of old) await addName(asideOf(image.path, record.id), image.path);
};

const rebaseBack = async ({ deps }: StepContext, { disks }: KeptRecord): Promise<void> => {
	for (const { old } of disks) {
		for (const [index, { path }] of old.entries()) {
			const below = old[index + 1];
			if (below !== undefined) await deps.images.rebaseUnsafe(path, below);
		}
	}
};

/** Puts the old disks back under their own names and into the definition; repeatable, and bootable at every moment. `aside` names the file of a restored disk that had its place. Rejects with REFUSED while the VM is not off. */
export const goBack = async (
	context: StepContext,
	record: KeptRecord,
	aside: (disk: KeptDisk) => string,
): Promise<void> => {
	await requireOff(context);
	const old = record.disks.flatMap((disk) => disk.old.map(({ path }) => path));
	const there = await Promise.all(old.map((path) => fileExists(asideOf(path, record.id))));
	// Some missing: nothing was switched yet, or all is back and only second names are left to be removed.
	if (there.every((one) => one)) {
		await rebaseAside(context, record);
		await define(context, [
			...onAside(record),
			...record.disks.flatMap(({ target, lost }): DiskChange[] =>
				lost === null ? [] : [{ target, gone: true }],
			),
		]);
		for (const disk of record.disks) await giveNamesBack(context, record, disk, aside(disk));
		await rebaseBack(context, record);
		await define(context, asBefore(record));
	}
	for (const path of old) {
		const second = asideOf(path, record.id);
		if (await isSame(path, second)) await context.deps.images.unlink(second);
	}
};
