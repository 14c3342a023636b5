// Takes a job from its plan to its end: run, record, and tell. The same code ends a job that was found in the journal at start.
import {
	asKnibError,
	type BackupPlan,
	type Hypervisor,
	isServiceType,
	isTerminal,
	type Job,
	KnibError,
	type Plan,
	type RunState,
	recoverRun,
	reduceRun,
	viewError,
	vmOfPlan,
	warningsOf,
	whyAnew,
} from "@knib/core";
import { isOwnTrouble, recordUnable } from "./executors/validation-record.ts";
import { finishPlan } from "./job-result.ts";
import { beginRun, createJobRun, type JobRun, type RunParts } from "./job-run.ts";
import type { JobJournal, Journal } from "./journal.ts";
import { type RunEnd, runBack, runForward } from "./run-job.ts";

/** What executing needs beyond the parts of a run. */
export type ExecuteParts = RunParts & { readonly journal: Journal };

const NEVER = new AbortController().signal;

const recordFailure = async (
	parts: RunParts,
	plan: BackupPlan,
	error: KnibError,
	status: "Failed" | "Unconfirmed",
): Promise<void> => {
	const { code, message } = error;
	await parts.deps.catalog.recordFailed({
		id: plan.backup,
		vm: plan.vm,
		createdAt: plan.createdAt,
		reason: plan.reason,
		error: { code, message },
		status,
	});
};

const endDone = async (parts: RunParts, run: JobRun, state: RunState): Promise<void> => {
	for (const text of warningsOf(state)) await run.change({ type: "warns", text });
	const result = await finishPlan(parts.deps, state).catch((thrown: unknown) => {
		// The work is done and published; only the view of it is behind, and a rescan brings it up to date.
		run.log("warn", `the view could not be brought up to date: ${asKnibError(thrown).message}`);
		return "backup" in state.plan ? { id: state.plan.backup } : {};
	});
	const next = await parts.aftermath?.succeeded(run.job(), state).catch((thrown: unknown) => {
		run.log("warn", `what follows could not be queued: ${asKnibError(thrown).message}`);
		return [];
	});
	const at = parts.deps.clock.now();
	await run.change({ type: "succeeds", at, result, ...(next === undefined ? {} : { next }) });
};

const endUndone = async (
	parts: RunParts,
	run: JobRun,
	end: Extract<RunEnd, { how: "undone" }>,
): Promise<void> => {
	const { plan } = end.state;
	const reason = isServiceType(plan.type) ? null : whyAnew(end.state, end.error, end.leftover);
	if (reason !== null) {
		run.log("warn", end.error.message);
		await run.change({ type: "waits", reason, until: null, free: true });
		return;
	}
	if (plan.type === "Backup") await recordFailure(parts, plan, end.error, "Failed");
	if (plan.type === "BackupValidation" && isOwnTrouble(end.error)) {
		await recordUnable(parts.deps, plan, end.error, (text) => run.log("warn", text));
	}
	if (end.leftover.length > 0) await parts.deps.catalog.noteVm(plan.vm.uuid, end.leftover);
	const later = await parts.aftermath?.failed(run.job(), end.error);
	if (later !== undefined && later !== null) {
		run.log("warn", later.reason);
		await run.change(later);
		return;
	}
	const at = parts.deps.clock.now();
	const type = end.error.code === "CANCELLED" ? "cancelled" : "fails";
	await run.change({ type, at, error: viewError(end.error) });
};

/** Ends the job as its run ended. Returns whether its journal may go: an unconfirmed one stays until the repository answers (F17). */
const settleEnd = async (parts: RunParts, run: JobRun, end: RunEnd): Promise<boolean> => {
	switch (end.how) {
		case "done":
			await endDone(parts, run, end.state);
			return true;
		case "undone":
			await endUndone(parts, run, end);
			return true;
		case "unconfirmed": {
			const { plan } = end.state;
			if (plan.type === "Backup") await recordFailure(parts, plan, end.error, "Unconfirmed");
			await run.change({ type: "fails", at: parts.deps.clock.now(), error: viewError(end.error) });
			return false;
		}
	}
};

/** A run that could not be brought to an end of its own: its journal stays, for the next start of the daemon. */
const failRun = async (parts: RunParts, run: JobRun, thrown: unknown): Promise<void> => {
	const error = asKnibError(thrown);
	run.log("error", error.message);
	if (run.job().endedAt !== null) return;
	await run
		.change({ type: "fails", at: parts.deps.clock.now(), error: viewError(error) })
		.catch((second: unknown) => run.log("error", asKnibError(second).message));
};

/** Ends the job and then its journal: a crash in between repeats the end, it loses none of it. Never rejects. */
const conclude = async (
	parts: RunParts,
	run: JobRun,
	journal: JobJournal,
	work: () => Promise<RunEnd>,
): Promise<void> => {
	let finished = false;
	try {
		finished = await settleEnd(parts, run, await work());
	} catch (thrown) {
		await failRun(parts, run, thrown);
	}
	await run.release();
	await (finished ? journal.close() : journal.leave()).catch((thrown: unknown) => {
		run.log("error", asKnibError(thrown).message);
	});
	if (isTerminal(run.job().state)) parts.events.ended(run.job());
	parts.aftermath?.over(run.job());
};

/** Runs a fresh plan to its end; never rejects: how it ended is in the job. */
export const executePlan = async (
	parts: ExecuteParts,
	job: Job,
	plan: Plan,
	signal: AbortSignal,
	inLane = true,
): Promise<void> => {
	const journal = await parts.journal.create(job.id);
	const run = createJobRun(parts, { job, journal, begunBefore: new Set(), inLane });
	for (const line of plan.explain) run.log("info", line);
	await conclude(parts, run, journal, async () => {
		const state = await beginRun(journal, job, plan);
		return runForward(state, run.hooks, signal);
	});
};

const stateOf = (entries: Parameters<typeof reduceRun>[1][]): RunState | null => {
	let state: RunState | null = null;
	for (const entry of entries) state = reduceRun(state, entry);
	return state;
};

/** The state a journal leaves; null for a journal without a single whole line. Throws JOURNAL_CORRUPT. */
export const replay = (entries: readonly Parameters<typeof reduceRun>[1][]): RunState | null =>
	stateOf([...entries]);

/** A VM that was undefined meanwhile has no call in flight; what is left of its job is still ended. */
const settleIfThere = async (hypervisor: Pick<Hypervisor, "settle">, vm: string): Promise<void> => {
	try {
		await hypervisor.settle(vm);
	} catch (thrown) {
		if (asKnibError(thrown).code !== "VM_NOT_FOUND") throw thrown;
	}
};

/** Jobs that ask nothing of libvirt about the VM whose backups they read. */
const STANDS_ALONE: ReadonlySet<Plan["type"]> = new Set<Plan["type"]>([
	"VerifyRepository",
	"ExtractFiles",
]);

/** Why a job that an earlier life of the daemon left goes back: what had made it turn, else the stop itself. */
const causeOf = ({ undoing }: RunState): KnibError => {
	if (undoing === null) {
		const message = "knibd stopped while the job ran; what it had begun was undone";
		return new KnibError("INTERRUPTED", message);
	}
	const { code, message, details } = undoing;
	return new KnibError(code, message, { details });
};

/** Ends a job that an earlier life of the daemon left, forward or back. Rejects when libvirt or the repository does not answer yet: the caller tries again. */
export const recoverJob = async (parts: ExecuteParts, job: Job, state: RunState): Promise<void> => {
	const { deps } = parts;
	const { plan } = state;
	const isNewVm = plan.type === "Restore" && plan.mode === "new";
	if (!isNewVm && !STANDS_ALONE.has(plan.type) && !isServiceType(plan.type)) {
		const vm = vmOfPlan(plan) ?? plan.vm;
		await settleIfThere(deps.hypervisor, vm.uuid);
	}
	const journal = await parts.journal.reopen(job.id);
	const run = createJobRun(parts, { job, journal, begunBefore: state.begun, inLane: true });
	await conclude(parts, run, journal, () =>
		recoverRun(state) === "back"
			? runBack(state, run.hooks, causeOf(state))
			: runForward(state, run.hooks, NEVER),
	);
};
