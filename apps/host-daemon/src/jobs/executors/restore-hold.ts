// The hold of a job that reads a backup on its chain (SAFETY F7), and the chain as it is read under it.
import {
	asKnibError,
	type Hold,
	KnibError,
	type Plan,
	type Repository,
	type RestorePlan,
	type RestoreReads,
	readLayers,
} from "@knib/core";
import type { Executor, StepContext } from "../context.ts";

/** The job's plan, which is a restore's. */
export const restorePlanOf = ({ plan }: StepContext): RestorePlan => {
	if (plan.type === "Restore") return plan;
	throw new KnibError("INTERNAL", "a restore's step in the plan of another job");
};

/** A plan that reads a backup. */
const readerOf = ({ plan }: StepContext): Extract<Plan, { readonly backup: string }> => {
	if ("backup" in plan) return plan;
	throw new KnibError("INTERNAL", "a chain is held by a job that reads a backup");
};

const takeHold = async (context: StepContext): Promise<Hold> => {
	const { vm, chain, reason } = readerOf(context);
	const repository = await context.repository();
	const { host } = context.deps;
	return repository.hold(vm.uuid, chain, {
		host: host.id,
		job: context.job,
		why: `${reason} (on ${host.name})`,
	});
};

/** Gives back the hold of a job that may be another one. Giving it back twice changes nothing. */
export const releaseHoldOf = async (
	repository: Repository,
	hold: {
		readonly vm: string;
		readonly chain: string;
		readonly host: string;
		readonly job: string;
	},
): Promise<void> => {
	const { vm, chain, host, job } = hold;
	await repository.hold(vm, chain, { host, job, why: "it is given back" }).then(
		(held) => held.release(),
		(thrown: unknown) => {
			if (!holdsNothing(thrown)) throw thrown;
		},
	);
};

/** Gives the hold back. It is this job's, whichever life of the daemon took it; giving it back twice changes nothing. */
export const releaseHold = async (context: StepContext): Promise<void> => {
	await takeHold(context).then(
		(held) => held.release(),
		(thrown: unknown) => {
			if (!holdsNothing(thrown)) throw thrown;
		},
	);
};

/** The layers to read, from manifests read now: compression may have published another generation since the plan was made. Rejects with REFUSED when the backup was removed. */
export const readHeld = async (context: StepContext): Promise<RestoreReads> => {
	const plan = readerOf(context);
	const repository = await context.repository();
	const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === plan.chain);
	const backup = chain?.members.find((one) => one.manifest.identity.id === plan.backup);
	if (chain === undefined || backup === undefined || backup.marks.removed !== null) {
		throw new KnibError("REFUSED", `backup ${plan.backup} was removed before it could be held`);
	}
	return readLayers(chain.members, backup);
};

/** As `readHeld`, for the restore that was planned. Rejects with VERIFY_FAILED when its layers or its ancestry are not those of the plan. */
export const readPlanned = async (context: StepContext): Promise<RestoreReads> => {
	const plan = restorePlanOf(context);
	const reads = await readHeld(context);
	const paths = reads.ancestry.map((one) => one.path);
	const problems = [...reads.problems];
	if (paths.join("\n") !== plan.ancestry.join("\n")) problems.push("its ancestry has changed");
	if (problems.length === 0) return reads;
	throw new KnibError(
		"VERIFY_FAILED",
		`backup ${plan.backup} cannot be read back: ${problems.join("; ")}`,
	);
};

const readOnly = (thrown: unknown): boolean => asKnibError(thrown).code === "REPOSITORY_READ_ONLY";

/** Nothing can be held there: the repository cannot be written, or the chain is gone. */
const holdsNothing = (thrown: unknown): boolean =>
	readOnly(thrown) || asKnibError(thrown).code === "NOT_FOUND";

/** Holds the chain, then reads it once more: what was removed in between is noticed here. A repository that is read-only on this host is read without a hold: what another host deletes makes the restore fail, never wrong. */
export const hold: Executor<"hold"> = {
	run: async (_step, context) => {
		const warnings: string[] = [];
		await takeHold(context).catch((thrown: unknown) => {
			if (!readOnly(thrown)) throw thrown;
			warnings.push("the repository is read-only here: nothing keeps other hosts from its chain");
		});
		await readHeld(context);
		return warnings.length === 0 ? {} : { warnings };
	},
	undo: (_step, context) => releaseHold(context),
};
