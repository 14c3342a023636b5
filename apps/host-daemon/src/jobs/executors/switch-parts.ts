// The parts of the switch of a restore in place; each may be repeated.
import { link, lstat, rename } from "node:fs/promises";
import { KnibError, type Vm } from "@knib/core";
import { attempt, fileExists, syncFile } from "../../hypervisor/files.ts";
import { type DiskChange, placeDisks } from "../../hypervisor/place-disks.ts";
import type { StepContext } from "../context.ts";
import { asideOf, type KeptRecord } from "../kept-record.ts";

type KeptDisk = KeptRecord["disks"][number];

/** Two names of one file. */
export const isSame = async (a: string, b: string): Promise<boolean> => {
	if (!(await fileExists(a)) || !(await fileExists(b))) return false;
	const [one, other] = await Promise.all([lstat(a, { bigint: true }), lstat(b, { bigint: true })]);
	return one.ino === other.ino && one.dev === other.dev;
};

/** A second name for a file; one that it has already is left. Rejects with EXISTS when another file has it. */
export const addName = async (from: string, to: string): Promise<void> => {
	if (await isSame(from, to)) return;
	await attempt(`could not give ${from} the name ${to}`, () => link(from, to));
	await syncFile(to);
};

/** The VM, which is off and named by no saved state. Rejects with REFUSED. */
export const requireOff = async ({ deps, plan }: StepContext): Promise<Vm> => {
	const { hypervisor } = deps;
	await hypervisor.settle(plan.vm.uuid);
	const vm = await hypervisor.vm(plan.vm.uuid);
	if (vm === undefined) throw new KnibError("REFUSED", `VM ${plan.vm.name} is gone`);
	if (vm.run === undefined && !vm.managedSave && vm.snapshots.length === 0) return vm;
	const what = vm.run === undefined ? "has a saved state or snapshots" : `is ${vm.state}`;
	throw new KnibError("REFUSED", `VM ${vm.name} ${what} by now: its disks are not switched`);
};

/** Second names for all old images. */
export const setNames = async (_context: StepContext, record: KeptRecord): Promise<void> => {
	for (const { path } of record.disks.flatMap(({ old }) => old)) {
		const aside = asideOf(path, record.id);
		if (!(await fileExists(aside))) await addName(path, aside);
	}
};

/** Lets the old images stand on each other by the names that they have when set aside. */
export const rebaseAside = async ({ deps }: StepContext, record: KeptRecord): Promise<void> => {
	for (const { old } of record.disks) {
		for (const [index, { path }] of old.entries()) {
			const below = old[index + 1];
			if (below === undefined) continue;
			const backing = { path: asideOf(below.path, record.id), format: below.format };
			await deps.images.rebaseUnsafe(asideOf(path, record.id), backing);
		}
	}
};

/** The disks of the definition on the images set aside. */
export const onAside = (record: KeptRecord): readonly DiskChange[] =>
	record.disks.flatMap(({ target, old }) => {
		const [top] = old;
		if (top === undefined) return [];
		return [{ target, path: asideOf(top.path, record.id), format: top.format }];
	});

/** Changes disks of the stored definition, puts it through `finish`, and reads them back. */
export const define = async (
	{ deps, plan }: StepContext,
	changes: readonly DiskChange[],
	finish: (xml: string) => string = (xml) => xml,
): Promise<void> => {
	const { hypervisor } = deps;
	const vm = await hypervisor.vm(plan.vm.uuid);
	if (vm === undefined) throw new KnibError("REFUSED", `VM ${plan.vm.name} is gone`);
	if (changes.length === 0) return;
	await hypervisor.define(finish(placeDisks(vm.xml.inactive, changes)));
	const after = await hypervisor.vm(vm.uuid);
	const wrong = changes.find((one) => {
		const path = after?.disks.find((disk) => disk.target === one.target)?.path;
		return "gone" in one ? path !== undefined : "path" in one && path !== one.path;
	});
	if (wrong === undefined) return;
	throw new KnibError(
		"VERIFY_FAILED",
		`libvirt says otherwise of disk ${wrong.target} than defined`,
	);
};

/** Lets a new disk have its path. What has it until then must have its second name already. */
export const takePlace = async (
	{ deps }: StepContext,
	record: KeptRecord,
	{ target, path, staged, old }: KeptDisk,
): Promise<void> => {
	const aside = asideOf(path, record.id);
	if (!(await fileExists(staged))) {
		if ((await fileExists(path)) && !(await isSame(path, aside))) return;
		throw new KnibError("VERIFY_FAILED", `the new disk ${target} is gone`);
	}
	if (old.length === 0) {
		await deps.images.rename(staged, path);
		return;
	}
	if ((await fileExists(path)) && !(await isSame(path, aside))) {
		throw new KnibError("EXISTS", `${path} was replaced by somebody else in the meantime`);
	}
	await attempt(`could not rename ${staged} to ${path}`, () => rename(staged, path));
	await syncFile(path);
};
