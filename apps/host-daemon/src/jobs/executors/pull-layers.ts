// Pulls the layers of a quick restore into the disks of the VM that runs over them. Whatever comes between, it waits and goes on: a
// guest that is shut down, a libvirt that is restarted, a repository that does not answer. A VM that libvirt has paused because a layer
// could not be read is resumed once all layers can be read again (SAFETY F18).
import { asKnibError, KnibError, type Vm } from "@knib/core";
import { onThemselves } from "../../hypervisor/backing-stores.ts";
import type { Executor, StepContext } from "../context.ts";
import { type QuickDisk, type QuickRecord, quickRecordSchema } from "../quick-record.ts";
import { readRecordFile } from "../record-file.ts";
import { endQuick } from "./end-quick.ts";

/** Between two looks while it waits, ms. */
const WAIT_MS = 1_000;

/** Errors that say no more than "not now". */
const PASSES: ReadonlySet<string> = new Set([
	"LIBVIRT_UNREACHABLE",
	"COMMAND_FAILED",
	"DEADLINE",
	"VM_STATE",
	"REPOSITORY_UNREACHABLE",
]);

/** Says once why it waits, and again when that changes. */
type Say = (text: string) => void;

const sayer = (context: StepContext): Say => {
	let last = "";
	return (text) => {
		if (text !== last && text !== "") context.log("warn", text);
		last = text;
	};
};

const requireVm = async ({ deps, plan }: StepContext): Promise<Vm> => {
	const vm = await deps.hypervisor.vm(plan.vm.uuid);
	if (vm !== undefined) return vm;
	const text = `VM ${plan.vm.name} is gone; backup and layers stay held for its disks`;
	throw new KnibError("VM_NOT_FOUND", text);
};

/** The disk's top image; undefined when it stands on none of the layers any more. */
const standsOnLayers = async (
	{ deps }: StepContext,
	vm: Vm,
	{ target, layers }: QuickDisk,
): Promise<string | undefined> => {
	const disk = vm.disks.find((one) => one.target === target);
	if (disk?.path === undefined) return undefined;
	const chain = await deps.images.chain(disk.path, disk.format ?? "qcow2");
	return chain.some((image) => layers.includes(image.path)) ? disk.path : undefined;
};

/** Rejects when a layer cannot be read. */
const readLayers = async ({ deps }: StepContext, { layers }: QuickDisk): Promise<void> => {
	for (const path of layers) await deps.images.info(path, "qcow2");
};

const resumeStopped = async (context: StepContext, vm: Vm, disk: QuickDisk, say: Say) => {
	const { hypervisor } = context.deps;
	if (vm.state !== "paused" || (await hypervisor.stoppedByDisk?.(vm.uuid)) !== true) return;
	say(`VM ${vm.name} is paused: a layer of backup ${readableId(context)} could not be read`);
	await readLayers(context, disk);
	await hypervisor.resume(vm.uuid);
	context.log("info", `VM ${vm.name} goes on: the layers can be read again`);
};

const readableId = ({ plan }: StepContext): string => ("backup" in plan ? plan.backup : "");

type Pulled = { bytes: number; ms: number };

type Pull = {
	readonly disk: QuickDisk;
	readonly rate: number;
	readonly onProgress: (fraction: number) => void;
	readonly say: Say;
};

/** While the pull runs, a guest that a layer's trouble has stopped is resumed. */
const resumeWhile = async (
	context: StepContext,
	{ disk, say }: Pull,
	over: AbortSignal,
): Promise<void> => {
	const { clock } = context.deps;
	while (!over.aborted) {
		await clock.sleep(WAIT_MS, over).catch(() => undefined);
		if (over.aborted) return;
		await requireVm(context)
			.then((vm) => resumeStopped(context, vm, disk, say))
			.catch((thrown: unknown) => say(asKnibError(thrown).message));
	}
};

/** One attempt; false when the disk cannot be pulled now. */
const tryPull = async (context: StepContext, pull: Pull, pulled: Pulled): Promise<boolean> => {
	const { deps, signal } = context;
	const { disk, rate, onProgress, say } = pull;
	const vm = await requireVm(context);
	const top = await standsOnLayers(context, vm, disk);
	if (top === undefined) return true;
	if (vm.run === undefined) {
		say(`VM ${vm.name} is ${vm.state}: ${disk.target} is pulled in once it runs`);
		return false;
	}
	await resumeStopped(context, vm, disk, say);
	const before = (await deps.images.facts(top)).size;
	const since = deps.clock.monotonic();
	const over = new AbortController();
	const watch = resumeWhile(context, pull, over.signal);
	try {
		await deps.hypervisor.pull(vm.uuid, disk.target, rate, { signal, onProgress });
	} finally {
		over.abort();
		await watch;
	}
	pulled.ms += deps.clock.monotonic() - since;
	pulled.bytes += Math.max(0, (await deps.images.facts(top)).size - before);
	say("");
	return (await standsOnLayers(context, await requireVm(context), disk)) === undefined;
};

/** Repeats until it has succeeded; what passes by itself is waited for. */
const untilDone = async (
	context: StepContext,
	say: Say,
	attempt: () => Promise<boolean>,
): Promise<void> => {
	for (;;) {
		context.signal.throwIfAborted();
		try {
			if (await attempt()) return;
		} catch (thrown) {
			const error = asKnibError(thrown);
			if (context.signal.aborted || !PASSES.has(error.code)) throw thrown;
			say(`it waits: ${error.message}`);
		}
		await context.deps.clock.sleep(WAIT_MS, context.signal);
	}
};

/** The stored definition names no layer any more, and its disks do on trouble what they did before. */
const tidyDefinition = async (context: StepContext, record: QuickRecord): Promise<void> => {
	const { hypervisor } = context.deps;
	const vm = await requireVm(context);
	if (!vm.persistent) return;
	const own = record.disks.filter(({ target, path }) =>
		vm.disks.some((disk) => disk.target === target && disk.path === path),
	);
	const xml = onThemselves(vm.xml.inactive, own);
	if (xml !== vm.xml.inactive) await hypervisor.define(xml);
};

const requireAlone = async (context: StepContext, record: QuickRecord): Promise<void> => {
	const vm = await requireVm(context);
	for (const disk of record.disks) {
		if ((await standsOnLayers(context, vm, disk)) === undefined) continue;
		throw new KnibError("VERIFY_FAILED", `disk ${disk.target} still stands on the repository`);
	}
};

/** Disk by disk; then the definition, the hold and the record. Goes on where an earlier attempt has stopped. */
export const pullLayers: Executor<"pull-layers"> = {
	run: async (step, context) => {
		const record = await readRecordFile(step.record, quickRecordSchema);
		if (record === undefined) return {};
		const total = record.disks.reduce((sum, disk) => sum + disk.bytes, 0);
		const pulled: Pulled = { bytes: 0, ms: 0 };
		const say = sayer(context);
		let done = 0;
		for (const disk of record.disks) {
			const onProgress = (fraction: number): void =>
				context.progress(Math.round(done + disk.bytes * fraction), total, "bytes");
			onProgress(0);
			const pull: Pull = { disk, rate: step.rate, onProgress, say };
			await untilDone(context, say, () => tryPull(context, pull, pulled));
			done += disk.bytes;
		}
		context.progress(total, total, "bytes");
		await untilDone(context, say, async () => {
			await requireAlone(context, record);
			await tidyDefinition(context, record);
			await endQuick(context, step.record, record);
			return true;
		});
		return { pulled: { bytes: pulled.bytes, ms: Math.round(pulled.ms) } };
	},
};
