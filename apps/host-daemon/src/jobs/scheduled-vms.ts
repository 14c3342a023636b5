import { type Hypervisor, matchesName, type Schedule } from "@knib/core";

type Listed = Awaited<ReturnType<Hypervisor["list"]>>[number];

/** Whether a schedule means a VM. Effects: reads the VM's definition when the schedule names a tag; rejects as `Hypervisor.vm` does. */
export const isScheduled = async (
	hypervisor: Pick<Hypervisor, "vm">,
	{ vm: pattern, tag }: Pick<Schedule, "vm" | "tag">,
	{ uuid, name }: Pick<Listed, "uuid" | "name">,
): Promise<boolean> => {
	if (!matchesName(pattern, name)) return false;
	return tag === undefined || (await hypervisor.vm(uuid))?.tags.includes(tag) === true;
};

/** Those of `vms` that a schedule means. */
export const scheduledVms = async <T extends Pick<Listed, "uuid" | "name">>(
	hypervisor: Pick<Hypervisor, "vm">,
	schedule: Pick<Schedule, "vm" | "tag">,
	vms: readonly T[],
): Promise<readonly T[]> => {
	const found: T[] = [];
	for (const vm of vms) if (await isScheduled(hypervisor, schedule, vm)) found.push(vm);
	return found;
};
