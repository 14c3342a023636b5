// The queue: one lane a VM, jobs in the order they came, each with the reason why it waits. It owns cancellation and timeouts;
// what a job does is decided by its plan.
import {
	backupOfPlan,
	type Job,
	type JobRequest,
	KnibError,
	type Plan,
	vmOfPlan,
} from "@knib/core";
import { type ExecuteParts, executePlan } from "./execute-job.ts";
import type { Lanes } from "./lanes.ts";
import { planNoted } from "./make-plan.ts";
import { endEarly, saveAndTell } from "./save-change.ts";
import { timeLimit } from "./time-limit.ts";
import { resolveUnconfirmed } from "./unconfirmed.ts";

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
	/** Asks a job to stop. Unknown or ended: nothing. */
	cancel(job: string): void;
	/** Resolves when the job has ended. */
	ended(job: string): Promise<void>;
	/** Stops taking work and cancels nothing: what runs is found in the journal at the next start. */
	idle(): Promise<void>;
}

export const createJobQueue = (parts: ExecuteParts, lanes: Lanes): JobQueue => {
	const controllers = new Map<string, AbortController>();
	const running = new Map<string, Promise<void>>();

	const work = async (queued: Queued, signal: AbortSignal, waited: boolean): Promise<void> => {
		const { id } = queued.job;
		const { vm } = queued.job;
		const resolved = vm !== null && (await resolveUnconfirmed(parts, vm.uuid));
		const plan =
			!waited && !resolved && queued.plan !== null
				? queued.plan
				: await planNoted(parts.deps, queued.request, id);
		signal.throwIfAborted();
		const current = parts.book.get(id) ?? queued.job;
		const started = await saveAndTell(
			parts,
			{ ...current, backup: backupOfPlan(plan), vm: vmOfPlan(plan) },
			{ type: "starts", at: parts.deps.clock.now() },
		);
		const limit = await timeLimit(parts.deps, queued.job.type, plan.vm.uuid);
		await executePlan(parts, started, plan, AbortSignal.any([signal, limit]));
	};

	const run = async (queued: Queued): Promise<void> => {
		const { job, lane } = queued;
		const controller = new AbortController();
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
			await lanes.run(
				lane,
				{ job: job.id, what: `${job.type} of ${job.vm?.name ?? "a VM"}` },
				{ signal: controller.signal, onWait },
				() => work(queued, controller.signal, waited),
			);
		} catch (thrown) {
			await endEarly(parts, job.id, thrown);
		} finally {
			controllers.delete(job.id);
		}
	};

	return {
		add: (queued) => {
			const promise = run(queued).finally(() => running.delete(queued.job.id));
			running.set(queued.job.id, promise);
		},
		cancel: (job) => {
			controllers.get(job)?.abort(new KnibError("CANCELLED", "the job was cancelled on request"));
		},
		ended: async (job) => {
			await running.get(job);
		},
		idle: async () => {
			await Promise.allSettled(running.values());
		},
	};
};
