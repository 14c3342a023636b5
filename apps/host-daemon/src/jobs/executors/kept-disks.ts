// What becomes of the disks that a restore in place has set aside.
import { asKnibError, KnibError } from "@knib/core";
import { fileExists } from "../../hypervisor/files.ts";
import type { Executor, StepContext } from "../context.ts";
import { GONE } from "../gone-files.ts";
import { asideOf, type KeptRecord, readRecord, undoneOf, writeRecord } from "../kept-record.ts";
import { findQuick } from "../quick-record.ts";
import { endQuick } from "./end-quick.ts";
import { goBack } from "./switch-back.ts";
import { noteAbove, setAboveAside } from "./undone-overlays.ts";

/** A quick restore that was undone needs the repository no more. Where that does not answer its hold goes with the next consolidation. */
const endQuickOf = async (context: StepContext, { id }: KeptRecord): Promise<void> => {
	const vm = await context.deps.hypervisor.vm(context.plan.vm.uuid);
	const quick = vm === undefined ? [] : await findQuick(vm);
	for (const { path, record } of quick.filter((one) => one.record.restore === id)) {
		await endQuick(context, path, record).catch((thrown: unknown) =>
			context.log("warn", asKnibError(thrown).message),
		);
	}
};

/** Puts the old disks back; the restored ones stay beside them until they are confirmed away. */
export const undoRestore: Executor<"undo-restore"> = {
	run: async (step, context) => {
		const found = await readRecord(step.record);
		if (found === undefined) throw new KnibError("NOT_FOUND", `${step.record} is gone`);
		if (found.state === "undone") return {};
		const record = await noteAbove(context, step.record, found);
		await goBack(context, record, (disk) => undoneOf(disk.path, record.id));
		await setAboveAside(context, record);
		await writeRecord(step.record, { ...record, state: "undone" });
		await endQuickOf(context, record);
		return {};
	},
};

const filesOf = ({ state, disks, id }: KeptRecord): readonly { path: string; format: string }[] =>
	state === "undone"
		? disks.flatMap(({ path, format, above = [] }) =>
				[...above, { path, format }].map((one) => ({ ...one, path: undoneOf(one.path, id) })),
			)
		: disks.flatMap(({ old }) =>
				old.map(({ path, format }) => ({ path: asideOf(path, id), format })),
			);

/** Nothing names a file, stands on it or has it open (I11). */
const requireUnused = async ({ deps }: StepContext, record: KeptRecord): Promise<void> => {
	const files = filesOf(record);
	const paths = files.map((one) => one.path);
	const use = (await deps.hypervisor.fileUses()).find((one) => paths.includes(one.path));
	if (use !== undefined) {
		throw new KnibError("REFUSED", `${use.path} is kept: ${use.where} of VM ${use.vm} names it`);
	}
	for (const { path, format } of files) {
		if (!(await fileExists(path))) continue;
		const above = (await deps.images.imagesBeside(path)).find(
			(one) => one.backing === path && !paths.includes(one.path) && !one.path.endsWith(GONE),
		);
		if (above !== undefined) {
			throw new KnibError("REFUSED", `${path} is kept: ${above.path} stands on it`);
		}
		if (!(await deps.images.writable(path, format))) {
			throw new KnibError("REFUSED", `${path} is kept: a program has it open`);
		}
	}
};

/** Deletes what was set aside, once nothing uses it, and the record last. */
export const dropOld: Executor<"drop-old"> = {
	run: async (step, context) => {
		const record = await readRecord(step.record);
		if (record === undefined) return {};
		await context.deps.hypervisor.settle(context.plan.vm.uuid);
		await requireUnused(context, record);
		for (const { path } of filesOf(record)) {
			if (await fileExists(path)) await context.deps.images.unlink(path);
		}
		await context.deps.images.unlink(step.record);
		return {};
	},
};
