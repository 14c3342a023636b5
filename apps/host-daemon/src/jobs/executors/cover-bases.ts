import { asKnibError, type TrackedFiles, type Vm } from "@knib/core";
import type { StepContext } from "../context.ts";

/** Tells libvirt's hook what lies below the VM's overlays now (SAFETY F4). The hook is a second line of defence: where its index cannot be written the job goes on, with a warning. */
export const coverBases = async (
	{ deps, log }: Pick<StepContext, "deps" | "log">,
	vm: Pick<Vm, "uuid" | "name">,
	disks: readonly TrackedFiles[],
): Promise<void> => {
	await deps.overlayIndex.cover(vm, disks).catch((thrown: unknown) => {
		log("warn", `libvirt's hook does not know of the new overlays: ${asKnibError(thrown).message}`);
	});
};

/** Tells the hook that these overlays hold nothing any more. */
export const uncoverBases = async (
	{ deps, log }: Pick<StepContext, "deps" | "log">,
	vm: string,
	overlays: readonly string[],
): Promise<void> => {
	await deps.overlayIndex.uncover(vm, overlays).catch((thrown: unknown) => {
		log("warn", `libvirt's hook still knows of old overlays: ${asKnibError(thrown).message}`);
	});
};
