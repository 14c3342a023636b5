// The disks of a quick restore: empty overlays over the repository's layers, and the record of what they stand on.
import { KnibError, type QuickDiskPlan } from "@knib/core";
import type { Executor, StepContext, StepOf } from "../context.ts";
import { type QuickRecord, quickRecordPath } from "../quick-record.ts";
import { writeRecordFile } from "../record-file.ts";
import { takeOwner } from "./file-owner.ts";
import { draftOf, refuseTaken, removeDraft, settleName, unsettleName } from "./restore-disks.ts";
import { restorePlanOf } from "./restore-hold.ts";
import { copyMachineFiles, removeMachineFiles, requireUnnamed } from "./restore-machine.ts";

type Step = StepOf<"make-quick-disks">;

const recordPath = ({ disks }: Step, context: StepContext): string => {
	const [first] = disks;
	if (first === undefined) throw new KnibError("INTERNAL", "a quick restore of no disk");
	return quickRecordPath(first.place, context.job);
};

const makeOne = async (context: StepContext, step: Step, disk: QuickDiskPlan): Promise<void> => {
	const { images } = context.deps;
	const [layer] = disk.layers;
	if (layer === undefined) throw new KnibError("INTERNAL", `${disk.target} stands on no layer`);
	await refuseTaken(context, disk.path);
	await removeDraft(context, disk);
	const path = draftOf(disk, context);
	await images.createOverlay({
		path,
		backing: layer,
		backingFormat: "qcow2",
		size: disk.virtualSize,
		// qemu before 8.1 dies of an assertion when the guest reads an image with sub-clusters while it is pulled into.
		subclusters: false,
	});
	await takeOwner(images, path, step.owner);
	await settleName(context, disk);
};

const recordOf = (step: Step, context: StepContext): QuickRecord => {
	const plan = restorePlanOf(context);
	return {
		format: 1,
		job: context.job,
		restore: step.id ?? context.job,
		vm: { uuid: plan.uuid, name: plan.name },
		source: plan.vm.uuid,
		backup: plan.backup,
		chain: plan.chain,
		repository: { ...plan.repository },
		at: context.deps.clock.now(),
		disks: step.disks.map(({ target, place, layers, bytes, policies }) => ({
			...{ target, bytes, path: place },
			layers: [...layers],
			policies: { ...policies },
		})),
	};
};

/** Makes the overlays, and writes down what they stand on before any VM is defined over them. */
export const makeQuickDisks: Executor<"make-quick-disks"> = {
	run: async (step, context) => {
		await copyMachineFiles(context, step.owner);
		await writeRecordFile(recordPath(step, context), recordOf(step, context));
		for (const disk of step.disks) await makeOne(context, step, disk);
		return {};
	},
	undo: async (step, context) => {
		const { images } = context.deps;
		await requireUnnamed(context);
		for (const disk of step.disks) {
			await unsettleName(context, disk);
			await removeDraft(context, disk);
		}
		await removeMachineFiles(context);
		const record = recordPath(step, context);
		if (await images.exists(record)) await images.unlink(record);
	},
};
