import {
	type ImageInfo,
	KnibError,
	type Outcomes,
	REPOSITORY_FORMAT,
	type TrackedFiles,
	trackedAfter,
	type Vm,
} from "@knib/core";
import { requireVm } from "../../facts/gather-vm.ts";
import type { Executor, StepContext } from "../context.ts";
import { coverBases } from "./cover-bases.ts";

const filesOf = (chain: readonly ImageInfo[]): readonly string[] =>
	chain.flatMap(({ path, dataFile }) => (dataFile === undefined ? [path] : [path, dataFile]));

/** Why a disk does not carry the files that are to be recorded; undefined when it does. */
const whyElse = async (
	{ deps }: StepContext,
	vm: Vm,
	tracked: TrackedFiles,
): Promise<string | undefined> => {
	const disk = vm.disks.find((one) => one.target === tracked.target);
	if (disk?.path === undefined || disk.format === undefined) return `${tracked.target} is gone`;
	const files = filesOf(await deps.images.chain(disk.path, disk.format));
	const below = files.slice(files.indexOf(tracked.overlay.path) + 1);
	if (!files.includes(tracked.overlay.path)) return `${tracked.target} is not on its overlay`;
	const same =
		below.length === tracked.below.length &&
		below.every((path, index) => path === tracked.below[index]?.path);
	return same ? undefined : `${tracked.target} stands on other files than expected`;
};

/** Records the files of the VM's disks as the switch froze them and the merges left them, so that the next backup can prove its base (SAFETY F15). A disk whose files cannot be told is left out: the next backup is a full, with the reason. */
export const recordTracker: Executor<"record-tracker"> = {
	run: async (step, context): Promise<Outcomes> => {
		const { plan, deps, outcomes } = context;
		const repository = await context.repository();
		await context.lease();
		const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === step.chain);
		const manifest = chain?.members.at(-1)?.manifest;
		if (manifest === undefined)
			throw new KnibError("NOT_FOUND", `chain ${step.chain} holds no backup`);
		const vm = await requireVm(deps.hypervisor, plan.vm.uuid);
		const disks: TrackedFiles[] = [];
		// A job that did not switch the disks goes on from what is recorded.
		const known = outcomes.frozen ?? chain?.tracker ?? null;
		for (const frozen of known?.disks ?? []) {
			const tracked = trackedAfter(frozen, outcomes.merged ?? []);
			const reason = "reason" in tracked ? tracked.reason : await whyElse(context, vm, tracked);
			if (reason === undefined && !("reason" in tracked)) disks.push(tracked);
			else context.log("warn", `the next backup will be full: ${reason}`);
		}
		const run = known?.run;
		await repository.writeTracker(plan.vm.uuid, step.chain, {
			format: REPOSITORY_FORMAT,
			backup: manifest.identity.id,
			identityDigest: manifest.identityDigest,
			host: deps.host.id,
			recordedAt: deps.clock.now(),
			...(run === undefined ? {} : { run }),
			disks,
		});
		await coverBases(context, vm, disks);
		return {};
	},
};
