// A merge on a VM in whatever state it is: by libvirt while it runs, by a holder of our own while it is off. A VM that stops in the
// middle of one is gone on with by the other.
import { KnibError, type LongOperation } from "@knib/core";
import { type CommitRange, commitLive } from "./commit-live.ts";
import { commitOffline, type OfflineDeps } from "./commit-offline.ts";
import { readDefinitions, readPicture } from "./vm-picture.ts";

/** State changes that are followed before giving up. */
const ROUNDS = 3;

const commitOff = async (
	deps: OfflineDeps,
	uuid: string,
	range: CommitRange,
	options: LongOperation,
): Promise<void> => {
	const vm = await readPicture(deps.virsh, uuid);
	if (vm.managedSave) {
		throw new KnibError("VM_STATE", `the VM ${vm.name} has a saved state, which names its images`);
	}
	const disk = vm.disks.find(({ target }) => target === range.target);
	if (disk?.path === undefined) {
		throw new KnibError("NOT_FOUND", `the VM ${vm.name} has no image as ${range.target}`);
	}
	const active = { path: disk.path, format: disk.format ?? "raw" };
	return commitOffline(deps, vm.uuid, { ...range, active }, options);
};

/** The port's `commit`. */
export const commitDisk = async (
	deps: OfflineDeps,
	uuid: string,
	range: CommitRange,
	options: LongOperation = {},
): Promise<void> => {
	for (let round = 1; ; round += 1) {
		const { live } = await readDefinitions(deps.virsh, uuid);
		try {
			if (live !== undefined) return await commitLive(deps, uuid, range, options);
			return await commitOff(deps, uuid, range, options);
		} catch (thrown) {
			const again = thrown instanceof KnibError && thrown.code !== "CANCELLED" && round < ROUNDS;
			if (!again) throw thrown;
			const now = await readDefinitions(deps.virsh, uuid);
			if ((now.live === undefined) === (live === undefined)) throw thrown;
		}
	}
};
