// Puts restored disks in the place of a VM's own (SAFETY F21), and back. Old images get second names first and stand on each other by
// these; then the definition names them so; only then do new disks take the old paths, and one definition switches all disks. At
// every moment between two lines of it the VM boots, on all old disks or on all new ones.
import { KnibError, type Vm } from "@knib/core";
import { overLayers } from "../../hypervisor/backing-stores.ts";
import {
	attachedDisk,
	type DiskChange,
	diskXml,
	withoutChain,
} from "../../hypervisor/place-disks.ts";
import type { Executor, StepContext, StepOf } from "../context.ts";
import { asideOf, type KeptRecord, readRecord, writeRecord } from "../kept-record.ts";
import { restorePlanOf } from "./restore-hold.ts";
import { goBack } from "./switch-back.ts";
import {
	define,
	isSame,
	onAside,
	rebaseAside,
	requireOff,
	setNames,
	takePlace,
} from "./switch-parts.ts";

/** Shuts the guest down; going back starts it again. */
export const shutDown: Executor<"shut-down"> = {
	run: async ({ deadlineMs }, context) => {
		await context.deps.hypervisor.shutdown(context.plan.vm.uuid, deadlineMs);
		return {};
	},
	undo: async (_step, { deps, plan }) => {
		const vm = await deps.hypervisor.vm(plan.vm.uuid);
		if (vm !== undefined && vm.run === undefined) await deps.hypervisor.start(vm.uuid);
	},
};

/** The disks are what they were when the restore was planned, and nobody has them open. */
const requireUnchanged = async (
	context: StepContext,
	vm: Vm,
	step: StepOf<"switch-disks">,
): Promise<void> => {
	const { images } = context.deps;
	for (const { target, old } of step.disks) {
		const disk = vm.disks.find((one) => one.target === target);
		const [top] = old;
		if (disk?.path !== top?.path) {
			throw new KnibError("REFUSED", `disk ${target} of VM ${vm.name} was changed in the meantime`);
		}
		if (top === undefined) continue;
		const chain = await images.chain(top.path, top.format);
		if (old.some(({ path }, index) => chain[index]?.path !== path)) {
			throw new KnibError("REFUSED", `the images of disk ${target} are not where they were`);
		}
		for (const { path, format } of old) {
			if (await images.writable(path, format)) continue;
			throw new KnibError("REFUSED", `a program has ${path} open`);
		}
	}
};

const begin = async (context: StepContext, step: StepOf<"switch-disks">): Promise<KeptRecord> => {
	const known = await readRecord(step.record);
	if (known !== undefined) return known;
	const vm = await requireOff(context);
	await requireUnchanged(context, vm, step);
	const { backup, repository } = restorePlanOf(context);
	const record: KeptRecord = {
		format: 1,
		id: step.id,
		vm: { uuid: vm.uuid, name: vm.name },
		backup,
		repository: { ...repository },
		at: context.deps.clock.now(),
		xml: vm.xml.inactive,
		state: "kept",
		disks: step.disks.map(({ layers, ...disk }) => ({
			...disk,
			old: disk.old.map((one) => ({ ...one })),
			...(layers === undefined ? {} : { layers: [...layers] }),
		})),
	};
	await writeRecord(step.record, record);
	return record;
};

/** The disks of the definition on the restored files. A disk that had no overlay keeps its `<disk>`, be it a volume of a pool. */
const onRestored = ({ disks, xml }: KeptRecord): readonly DiskChange[] =>
	disks.map(({ target, path, format, old, lost, layers }): DiskChange => {
		if (lost !== null) return { target, disk: attachedDisk(lost, { path, format, domain: xml }) };
		const before = old.length === 1 && layers === undefined ? diskXml(xml, target) : undefined;
		return before === undefined ? { target, path, format } : { target, disk: withoutChain(before) };
	});

/** The disks that stand on layers of the repository. */
const quickOf = ({ disks }: KeptRecord) =>
	disks.flatMap(({ target, layers }) => (layers === undefined ? [] : [{ target, layers }]));

const securityModels = async (
	{ deps }: StepContext,
	record: KeptRecord,
): Promise<readonly string[]> =>
	quickOf(record).length === 0 ? [] : (await deps.machine.capabilities()).securityModels;

/** The switch; from its first line on the job goes forward after a crash. Every part may be repeated. */
export const switchDisks: Executor<"switch-disks"> = {
	run: async (step, context) => {
		const { images } = context.deps;
		const record = await begin(context, step);
		await requireOff(context);
		await setNames(context, record);
		await rebaseAside(context, record);
		await define(context, onAside(record));
		for (const disk of record.disks) await takePlace(context, record, disk);
		await requireOff(context);
		const models = await securityModels(context, record);
		await define(context, onRestored(record), (xml) => overLayers(xml, quickOf(record), models));
		for (const { path } of record.disks.flatMap(({ old }) => old.slice(0, -1))) {
			if (await isSame(path, asideOf(path, record.id))) await images.unlink(path);
		}
		return {};
	},
	undo: async (step, context) => {
		const record = await readRecord(step.record);
		if (record === undefined) return;
		await goBack(context, record, (disk) => disk.staged);
		await context.deps.images.unlink(step.record);
	},
};
