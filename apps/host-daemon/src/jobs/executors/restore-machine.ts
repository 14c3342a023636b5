// Files of the restored machine beside its disks: boot variables and TPM state. Their names hold the new VM's uuid, which no other
// file has: they are this job's own.
import { constants } from "node:fs";
import { copyFile, cp, lstat, mkdir, rm } from "node:fs/promises";
import { type DiskImages, type FileOwner, KnibError, type RestorePlan } from "@knib/core";
import type { StepContext } from "../context.ts";
import { takeOwner } from "./file-owner.ts";
import { restorePlanOf } from "./restore-hold.ts";

/** The largest that firmware's variables are taken for, bytes. */
const LARGEST_NVRAM = 1 << 28;

/** Copies firmware variables. */
export const copyNvram = async (
	images: DiskImages,
	{ from, to }: NonNullable<RestorePlan["nvram"]>,
	owner: FileOwner,
): Promise<void> => {
	const facts = await lstat(from);
	if (!facts.isFile() || facts.size > LARGEST_NVRAM) {
		throw new KnibError("VERIFY_FAILED", `${from} holds no firmware variables`);
	}
	await rm(to, { force: true });
	await copyFile(from, to, constants.COPYFILE_EXCL);
	await takeOwner(images, to, owner);
};

/** Links and devices do not belong to the state of a TPM and are not followed. */
const isStateFile = async (path: string): Promise<boolean> => {
	const facts = await lstat(path);
	return facts.isFile() || facts.isDirectory();
};

/** Copies the state of an emulated TPM. */
export const copyTpm = async ({ from, to }: NonNullable<RestorePlan["tpm"]>): Promise<void> => {
	await rm(to, { recursive: true, force: true });
	await mkdir(to, { recursive: true, mode: 0o700 });
	await cp(from, to, { recursive: true, filter: isStateFile });
};

/** Copies what the backup holds of NVRAM and TPM state, from the start when repeated. libvirt gives the TPM's files to swtpm's user itself. */
export const copyMachineFiles = async (context: StepContext, owner: FileOwner): Promise<void> => {
	const { nvram, tpm } = restorePlanOf(context);
	if (nvram !== null) await copyNvram(context.deps.images, nvram, owner);
	if (tpm !== null) await copyTpm(tpm);
};

/** Removes the copies; those of an earlier attempt too. */
export const removeMachineFiles = async (context: StepContext): Promise<void> => {
	const { nvram, tpm } = restorePlanOf(context);
	if (nvram !== null) await rm(nvram.to, { force: true });
	if (tpm !== null) await rm(tpm.to, { recursive: true, force: true });
};

/** Rejects with REFUSED while the new VM is defined or any VM names one of the new files: then they are not taken away (I11). */
export const requireUnnamed = async (context: StepContext): Promise<void> => {
	const plan = restorePlanOf(context);
	const { hypervisor } = context.deps;
	await hypervisor.settle(plan.uuid).catch(() => undefined);
	if (plan.mode === "new" && (await hypervisor.vm(plan.uuid)) !== undefined) {
		throw new KnibError("REFUSED", `the files of VM ${plan.name} are kept: it is defined`);
	}
	const paths = plan.steps.flatMap((step) =>
		step.kind === "copy-disks" || step.kind === "make-quick-disks"
			? step.disks.map((disk) => disk.path)
			: [],
	);
	const use = (await hypervisor.fileUses()).find((one) => paths.includes(one.path));
	if (use === undefined) return;
	throw new KnibError("REFUSED", `${use.path} is kept: ${use.where} of VM ${use.vm} names it`);
};
