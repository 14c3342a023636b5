import {
	type DiskFacts,
	KnibError,
	type Outcomes,
	REPOSITORY_FORMAT,
	type TrackerFacts,
} from "@knib/core";
import { gatherDisk, requireVm } from "../../facts/gather-vm.ts";
import type { Executor } from "../context.ts";

type Tracked = TrackerFacts["disks"][number];

const trackDisk = (facts: DiskFacts, overlay: string): Tracked | undefined => {
	const index = facts.images.findIndex((image) => image.path === overlay);
	const file = index === 0 ? facts.top : facts.below[index - 1];
	const size = facts.images[0]?.virtualSize;
	if (index < 0 || file === undefined || file === null || size === undefined) return undefined;
	return {
		target: facts.disk.target,
		virtualSize: size,
		overlay: { path: overlay, inode: file.inode, fileSystem: file.fileSystem },
		below: facts.below.slice(index),
	};
};

/** Records the files of the VM's disks after the last block job, so that the next backup can prove its base (SAFETY F15). A disk that is not as expected is left out: the next backup is a full, with the reason. */
export const recordTracker: Executor<"record-tracker"> = {
	run: async (step, context): Promise<Outcomes> => {
		const { plan, deps } = context;
		const repository = await context.repository();
		await context.lease();
		const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === step.chain);
		const manifest = chain?.members.at(-1)?.manifest;
		if (manifest === undefined)
			throw new KnibError("NOT_FOUND", `chain ${step.chain} holds no backup`);
		const vm = await requireVm(deps.hypervisor, plan.vm.uuid);
		const disks: Tracked[] = [];
		for (const { target, overlay } of manifest.tracker.disks) {
			const disk = vm.disks.find((one) => one.target === target);
			if (disk === undefined || overlay === undefined) continue;
			const tracked = trackDisk(await gatherDisk(deps.images, disk), overlay.path);
			if (tracked !== undefined) disks.push(tracked);
			else
				context.log(
					"warn",
					`the overlay of ${target} is not in place: the next backup will be full`,
				);
		}
		await repository.writeTracker(plan.vm.uuid, step.chain, {
			format: REPOSITORY_FORMAT,
			backup: manifest.identity.id,
			identityDigest: manifest.identityDigest,
			host: deps.host.id,
			recordedAt: deps.clock.now(),
			...(vm.run === undefined ? {} : { run: vm.run }),
			disks,
		});
		return {};
	},
};
