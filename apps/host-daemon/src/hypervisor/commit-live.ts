// Merging images of a VM that runs or is paused, by libvirt's blockcommit. A job that an earlier client started is taken up.
import { KnibError, type LongOperation } from "@knib/core";
import { followJob, type JobDeps, readLiveDisk, tryPivot, untilNoJob } from "./block-jobs.ts";
import { virshArgv } from "./virsh-argv.ts";
import { stderrOf } from "./virsh-client.ts";
import { parseBlockJob } from "./virsh-parse.ts";

/** The disk and the images to merge, as the port has them. */
export type CommitRange = { readonly target: string; readonly base: string; readonly top: string };

/** A job of an earlier client is in the way, or has just changed the chain; then it is looked at again. */
const isBusy = (thrown: unknown): boolean =>
	/could not find image|has a blockjob assigned|block copy still active|already in a block job|another block job|job .* already/i.test(
		stderrOf(thrown),
	);

const start = async (deps: JobDeps, uuid: string, disk: CommitRange, active: boolean) => {
	try {
		await deps.virsh(virshArgv.blockcommit(uuid, { ...disk, active }));
	} catch (thrown) {
		if (!isBusy(thrown)) throw thrown;
	}
};

/** Whether a merge runs on the disk. Rejects with VM_BUSY when the job is of another kind: a backup of somebody else may never end. */
const isMerging = async (deps: JobDeps, uuid: string, target: string): Promise<boolean> => {
	const job = parseBlockJob(await deps.virsh(virshArgv.blockjob(uuid, target)));
	if (job !== undefined && !/commit/i.test(job.type)) {
		throw new KnibError("VM_BUSY", `${target} has a block job of another kind: ${job.type}`);
	}
	return job !== undefined;
};

/** Attempts before giving up: one for a job found, one for our own, one for a job that came between. */
const ROUNDS = 3;

/** Merges the images above `base`, up to and with `top`, into `base`; with the active image as `top` the VM pivots to `base`. Rejects with REFUSED when `base` is not below `top`, VM_BUSY when a copy to elsewhere holds the disk, CANCELLED, COMMAND_FAILED. */
export const commitLive = async (
	deps: JobDeps,
	uuid: string,
	disk: CommitRange,
	options: LongOperation = {},
): Promise<void> => {
	const { target, base, top } = disk;
	for (let round = 0; round < ROUNDS; round += 1) {
		// The job first: one that ends in between would leave a chain behind that is no longer true.
		const job = await isMerging(deps, uuid, target);
		const { chain, mirror } = await readLiveDisk(deps.virsh, uuid, target);
		if (!job && mirror === undefined && !chain.includes(top)) return;
		if (mirror !== undefined && mirror.path !== base) {
			throw new KnibError("VM_BUSY", `${target} is being copied to ${mirror.path ?? "elsewhere"}`);
		}
		if (chain.includes(top) && chain.indexOf(base) <= chain.indexOf(top)) {
			throw new KnibError("REFUSED", `${base} is not below ${top} in ${target}'s chain`);
		}
		if (!job) await start(deps, uuid, disk, chain[0] === top);
		await followJob(deps, { uuid, target }, options, async () => {
			if (await tryPivot(deps, uuid, target)) await untilNoJob(deps, uuid, target);
		});
	}
	const { chain } = await readLiveDisk(deps.virsh, uuid, target);
	if (chain.includes(top)) {
		throw new KnibError("COMMAND_FAILED", `merging ${top} ended before it was complete`);
	}
};
