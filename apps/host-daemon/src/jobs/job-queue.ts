// The queue: one lane a VM, jobs in the order they came, each with the reason why it waits. It owns cancellation and timeouts;
// what a job does is decided by its plan.
import {
	asKnibError,
	backupOfPlan,
	type Job,
	type JobRequest,
	KnibError,
	LIBVIRT_AWAY,
	type Plan,
	vmOfPlan,
} from "@knib/core";
import { type ExecuteParts, executePlan } from "./execute-job.ts";
import type { Lanes } from "./lanes.ts";
import { planNoted } from "./make-plan.ts";
import { endEarly, saveAndTell } from "./save-change.ts";
import { timeLimit } from "./time-limit.ts";
import { resolveUnconfirmed } from "./unconfirmed.ts";

/** How long a job that could do nothing yet is left alone before it is planned again, ms. */
const AGAIN_MS = 5_000;

/** A job with what it is about. */
export type Queued = {
	readonly job: Job;
	readonly request: JobRequest;
	readonly lane: string;
	/** A plan that was made while the lane was free; made anew when the job had to wait. */
	readonly plan: Plan | null;
};

export interface JobQueue {
	add(queued: Queued): void;
	/** Whether a job waits or runs here. */
	has(job: string): boolean;
	/** Asks a job to stop and resolves when it has ended. Unknown or ended: nothing. */
	cancel(job: string): Promise<void>;
	/** Interrupts what runs and resolves when all of it is undone. What has not begun stays waiting for the next start. */
	close(): Promise<void>;
}

export const createJobQueue = (parts: ExecuteParts, lanes: Lanes): JobQueue => {
	const controllers = new Map<string, AbortController>();
	const running = new Map<string, Promise<void>>();
	let isClosed = false;

	/** The plan of a job whose turn has come; null when libvirt cannot be asked for it. */
	const planOf = async ({ job, request, plan }: Queued, waited: boolean): Promise<Plan | null> => {
		try {
			const resolved = job.vm !== null && (await resolveUnconfirmed(parts, job.vm.uuid));
			if (!waited && !resolved && plan !== null) return plan;
			return await planNoted(parts.deps, request, job.id);
		} catch (thrown) {
			if (asKnibError(thrown).code !== "LIBVIRT_UNREACHABLE") throw thrown;
			return null;
		}
	};

	const work = async (queued: Queued, signal: AbortSignal, waited: boolean): Promise<void> => {
		const { id } = queued.job;
		const plan = await planOf(queued, waited);
		signal.throwIfAborted();
		if (plan === null) {
			const job = parts.book.get(id) ?? queued.job;
			if (job.reason !== LIBVIRT_AWAY) {
				await saveAndTell(parts, job, { type: "waits", reason: LIBVIRT_AWAY, until: null });
			}
			return;
		}
		const current = parts.book.get(id) ?? queued.job;
		const started = await saveAndTell(
			parts,
			{ ...current, backup: backupOfPlan(plan), vm: vmOfPlan(plan) },
			{ type: "starts", at: parts.deps.clock.now() },
		);
		const limit = await timeLimit(parts.deps, queued.job.type, plan.vm.uuid);
		const either = AbortSignal.any([signal, limit.signal]);
		await executePlan(parts, started, plan, either).finally(limit.clear);
	};

	const run = async (queued: Queued): Promise<void> => {
		const { job, lane } = queued;
		const controller = new AbortController();
		const { signal } = controller;
		controllers.set(job.id, controller);
		let waited = false;
		const onWait = (reason: string): void => {
			waited = true;
			const current = parts.book.get(job.id) ?? job;
			void saveAndTell(parts, current, { type: "waits", reason, until: null }).catch(
				() => undefined,
			);
		};
		try {
			for (;;) {
				await lanes.run(
					lane,
					{ job: job.id, what: `${job.type} of ${job.vm?.name ?? "a VM"}` },
					{ signal, onWait },
					() => work(queued, signal, waited),
				);
				if (parts.book.get(job.id)?.state !== "waiting") return;
				// It could not be begun, or was taken back whole: what it was planned on is read anew.
				waited = true;
				await parts.deps.clock.sleep(AGAIN_MS, signal).catch(() => undefined);
				signal.throwIfAborted();
			}
		} catch (thrown) {
			const begun = parts.book.get(job.id)?.state !== "waiting";
			if (begun || !isClosed) await endEarly(parts, job.id, thrown);
		} finally {
			controllers.delete(job.id);
		}
	};

	return {
		add: (queued) => {
			const promise = run(queued).finally(() => running.delete(queued.job.id));
			running.set(queued.job.id, promise);
		},
		has: (job) => running.has(job),
		cancel: async (job) => {
			controllers.get(job)?.abort(new KnibError("CANCELLED", "the job was cancelled on request"));
			await running.get(job);
		},
		close: async () => {
			isClosed = true;
			const stopped = new KnibError("INTERRUPTED", "knibd was stopped while the job ran");
			for (const controller of controllers.values()) controller.abort(stopped);
			await Promise.allSettled(running.values());
		},
	};
};
