// Deletes backups: a mark where living ones stand on it, else a move into the repository's trash, the newest first, so that a crash
// leaves a chain without a hole.
import { admit, type Chain, KnibError, type Outcomes, type Repository } from "@knib/core";
import { gatherAdmission } from "../../facts/gather-service.ts";
import type { Executor, StepContext } from "../context.ts";
import { servicePlanOf, subjectOf } from "./compress.ts";

export const markRemoved: Executor<"mark-removed"> = {
	run: async (_step, context) => {
		const { clock, host } = context.deps;
		await (await context.lease()).check();
		const { repository, backup } = await subjectOf(context);
		await repository.discardCompressed(backup);
		await repository.writeMarks(backup, { removed: { at: clock.now(), by: host.name } });
		return {};
	},
};

/** A backup that was marked before goes into the trash alone once its data is in its child. */
const isRemoved = (chain: Chain, id: string): boolean =>
	chain.members.some(
		({ manifest, marks }) => manifest.identity.id === id && marks.removed !== null,
	);

/** Asked once more right before the move: a reader may have come since the plan was made. Not after a crash, which left part of it done. */
const assertAdmitted = async (context: StepContext, repository: Repository): Promise<void> => {
	if (context.repeated) return;
	const plan = servicePlanOf(context);
	const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === plan.chain);
	if (chain === undefined) return;
	const facts = await gatherAdmission(context.deps, repository, chain, context.job);
	const action = isRemoved(chain, plan.backup) ? "consolidate" : "delete";
	const [first] = admit(action, plan.backup, { ...facts, ended: true });
	if (first === undefined) return;
	throw new KnibError(first.code, `backup ${plan.backup} is not deleted: ${first.reason}`);
};

const trashOne = async (
	context: StepContext,
	id: string,
	sweep: readonly string[],
): Promise<void> => {
	const plan = servicePlanOf(context);
	const { clock, host } = context.deps;
	const repository = await context.repository();
	const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === plan.chain);
	const member = chain?.members.find((one) => one.manifest.identity.id === id);
	if (member === undefined) return;
	await repository.settleSwitch(member);
	await repository.discardCompressed(member);
	await repository.recordSweep(member, {
		sweep,
		by: host.name,
		at: clock.now(),
		job: context.job,
	});
	const path = await repository.moveToTrash(member);
	context.log("info", `backup ${id} lies in the trash: ${path}`);
};

const endChainFor = async (context: StepContext, repository: Repository): Promise<void> => {
	const plan = servicePlanOf(context);
	if (plan.type !== "DeleteBackup" || plan.endsChain === null) return;
	const { clock, host } = context.deps;
	const end = { reason: plan.endsChain, at: clock.now(), host: host.id };
	await repository.endChain(plan.vm.uuid, plan.chain, end);
};

export const trashBackups: Executor<"trash-backups"> = {
	run: async (step, context): Promise<Outcomes> => {
		await (await context.lease()).check();
		const repository = await context.repository();
		await assertAdmitted(context, repository);
		// Once more, in case the step before could not: no chain stays open without its newest backup.
		await endChainFor(context, repository);
		for (const [index, id] of step.backups.entries()) {
			await trashOne(context, id, step.backups);
			context.progress(index + 1, step.backups.length, "steps");
		}
		return {};
	},
	undo: async (step, context) => {
		const repository = await context.repository();
		await context.lease();
		// What another job has deleted meanwhile is not this one's to bring back.
		const entries = (await repository.trash()).filter(
			({ kind, backup, deleted }) =>
				kind === "backup" && step.backups.includes(backup) && deleted?.job === context.job,
		);
		const sequence = (entry: (typeof entries)[number]): number =>
			entry.manifest?.identity.sequence ?? 0;
		for (const entry of entries.toSorted((a, b) => sequence(a) - sequence(b))) {
			await repository.undelete(entry);
		}
	},
};
