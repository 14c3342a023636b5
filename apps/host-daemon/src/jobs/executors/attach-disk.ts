// Attaches a restored disk to its VM.
import { KnibError, type Vm } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { restorePlanOf } from "./restore-hold.ts";

const requireVm = async (context: StepContext): Promise<Vm> => {
	const { uuid, name } = restorePlanOf(context);
	const vm = await context.deps.hypervisor.vm(uuid);
	if (vm !== undefined) return vm;
	throw new KnibError("VM_NOT_FOUND", `VM ${name} is gone`);
};

const has = (vm: Vm, path: string): boolean => vm.disks.some((disk) => disk.path === path);

/** Attaches it, to the running guest too; a disk that is attached already stays so. Rejects with EXISTS when another one has its name by now. */
export const attachDisk: Executor<"attach-disk"> = {
	run: async ({ target, path, xml }, context) => {
		const { hypervisor } = context.deps;
		const before = await requireVm(context);
		if (has(before, path)) return {};
		if (before.disks.some((disk) => disk.target === target)) {
			throw new KnibError("EXISTS", `VM ${before.name} has a disk ${target} by now`);
		}
		await hypervisor.attach(before.uuid, xml);
		if (has(await requireVm(context), path)) return {};
		throw new KnibError("VERIFY_FAILED", `libvirt does not show disk ${target} after attaching it`);
	},
};
