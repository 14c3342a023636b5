// A block job that another program runs on a disk: nothing of knib's touches the disk meanwhile.
import type { VmDisk } from "../domain/vm.ts";
import { type Refusal, refuse } from "./plan.ts";

/** The refusal for the first disk that another program works on, with the command that shows its progress; undefined where there is none. */
export const refuseBlockJob = (
	vm: string,
	disks: readonly { readonly disk: Pick<VmDisk, "target" | "busy"> }[],
): Refusal | undefined => {
	const busy = disks.find(({ disk }) => disk.busy)?.disk.target;
	if (busy === undefined) return undefined;
	return refuse("VM_BUSY", `another program's block job runs on disk ${busy} of VM ${vm}`, {
		hint: `see it with \`virsh blockjob ${vm} ${busy} --info\`; wait for its end, or end it there`,
	});
};
