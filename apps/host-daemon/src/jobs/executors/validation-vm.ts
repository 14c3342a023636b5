// The throw-away VM: its files in the scratch directory, its start, its end. Everything is found again by the plan's uuid and
// directory, so that going back after a crash takes away this job's own and nothing else.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { asKnibError, KnibError, type Outcomes } from "@knib/core";
import type { Executor, StepContext, StepOf } from "../context.ts";
import { takeOwner } from "./file-owner.ts";
import { copyNvram, copyTpm } from "./restore-machine.ts";
import { isDamaged, unable, validationPlanOf, within } from "./validation-context.ts";

/** qemu's user must get through the directory and nobody needs to list it. */
const DIRECTORY_MODE = 0o711;

const removeFiles = async (step: StepOf<"make-validation-disks">): Promise<void> => {
	await rm(step.directory, { recursive: true, force: true });
	if (step.tpm !== null) await rm(step.tpm.to, { recursive: true, force: true });
};

/** Fresh overlays over the layers, which are only read, and copies of the machine's files. */
export const makeValidationDisks: Executor<"make-validation-disks"> = {
	run: async (step, context) => {
		if (isDamaged(context)) return {};
		await removeFiles(step);
		await mkdir(step.directory, { recursive: true, mode: DIRECTORY_MODE });
		const { images } = context.deps;
		for (const { layer, overlay, size } of step.disks) {
			const overlaid = { path: overlay, backing: layer, backingFormat: "qcow2", size };
			await images.createOverlay(overlaid);
			await takeOwner(images, overlay, step.owner);
		}
		if (step.nvram !== null) await copyNvram(images, step.nvram, step.owner);
		if (step.tpm !== null) await copyTpm(step.tpm);
		return {};
	},
	undo: async (step, context) => {
		await destroyValidationVm(context.deps, validationPlanOf(context).uuid);
		await removeFiles(step);
	},
};

const TRIES = 50;
const PAUSE_MS = 200;

/** Ends a throw-away VM for sure: what an earlier client of libvirt has under way is waited for, then it is destroyed until libvirt knows it no more. No VM: nothing. */
export const destroyValidationVm = async (
	{ hypervisor, clock }: Pick<StepContext["deps"], "hypervisor" | "clock">,
	uuid: string,
): Promise<void> => {
	for (let attempt = 1; ; attempt++) {
		if ((await hypervisor.vm(uuid)) === undefined) return;
		const failure = await hypervisor.destroy(uuid).then(
			() => undefined,
			(thrown: unknown) => asKnibError(thrown),
		);
		if ((await hypervisor.vm(uuid)) === undefined) return;
		if (attempt === TRIES) {
			throw new KnibError("COMMAND_FAILED", `the throw-away VM ${uuid} cannot be ended`, {
				cause: failure,
			});
		}
		await clock.sleep(PAUSE_MS);
	}
};

/** Where the firmware's first screen is kept while the job runs. */
export const firstScreen = (directory: string): string => `${directory}/first.png`;

const START_MS = 120_000;
const SCREEN_MS = 30_000;

const create = async (
	context: StepContext,
	step: StepOf<"boot-validation-vm">,
): Promise<"kvm" | "qemu"> => {
	const { hypervisor } = context.deps;
	const start = (xml: string) =>
		within(context, START_MS, "starting the VM", hypervisor.create(xml));
	try {
		await start(step.xml);
		return step.accelerator;
	} catch (thrown) {
		const error = asKnibError(thrown);
		if (step.fallbackXml === null || error.code !== "COMMAND_FAILED") {
			throw error.code === "COMMAND_FAILED"
				? unable(`the VM cannot be started on this host: ${error.message}`, error)
				: error;
		}
		context.log("warn", `KVM refused the VM, so it is emulated: ${error.message}`);
		await destroyValidationVm(context.deps, step.uuid);
	}
	await start(step.fallbackXml).catch((thrown: unknown) => {
		throw unable(`the VM cannot be started on this host: ${asKnibError(thrown).message}`, thrown);
	});
	return "qemu";
};

/** Starts the VM and keeps its first screen, which is the firmware's. */
export const bootValidationVm: Executor<"boot-validation-vm"> = {
	run: async (step, context): Promise<Outcomes> => {
		if (isDamaged(context)) return {};
		const { hypervisor, clock } = context.deps;
		const { directory } = validationPlanOf(context);
		await destroyValidationVm(context.deps, step.uuid);
		const startedMonotonic = clock.monotonic();
		const startedAt = clock.now();
		const accelerator = await create(context, step);
		await within(context, SCREEN_MS, "the first screenshot", hypervisor.screenshot(step.uuid))
			.then((png) => writeFile(firstScreen(directory), png, { mode: 0o600 }))
			.catch((thrown: unknown) => {
				context.signal.throwIfAborted();
				context.log("warn", `the first screen is unknown: ${asKnibError(thrown).message}`);
			});
		return { startedMonotonic, startedAt, accelerator };
	},
	undo: (step, context) => destroyValidationVm(context.deps, step.uuid),
};

/** Ends the VM and removes its files, whatever the steps before have found. */
export const tearDown: Executor<"tear-down"> = {
	run: async (_step, context) => {
		const plan = validationPlanOf(context);
		await destroyValidationVm(context.deps, plan.uuid);
		for (const step of plan.steps)
			if (step.kind === "make-validation-disks") await removeFiles(step);
		return {};
	},
};
