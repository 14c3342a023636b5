// One run of one job: wires the runner to the journal, the lease, the log and the live events.
import {
	changeJob,
	type Job,
	type JobLogLine,
	type Lease,
	type Plan,
	type Repository,
	type RunState,
	reduceRun,
} from "@knib/core";
import type { Aftermath } from "./aftermath.ts";
import type { JobDeps, StepContext } from "./context.ts";
import { executors } from "./executors/index.ts";
import type { JobBook } from "./job-book.ts";
import type { JobEvents } from "./job-events.ts";
import type { JobLogs } from "./job-log.ts";
import type { JobJournal } from "./journal.ts";
import type { Lanes } from "./lanes.ts";
import type { RunHooks } from "./run-job.ts";

/** Everything a run of a job touches. */
export type RunParts = {
	readonly deps: JobDeps;
	readonly book: JobBook;
	readonly logs: JobLogs;
	readonly events: JobEvents;
	readonly lanes: Lanes;
	/** What follows a job; absent where nothing does. */
	readonly aftermath?: Aftermath;
};

/** A job that is under way: its newest document, and its hooks for the runner. */
export type JobRun = {
	readonly job: () => Job;
	readonly hooks: RunHooks;
	readonly change: (change: Parameters<typeof changeJob>[1]) => Promise<Job>;
	readonly log: (level: JobLogLine["level"], text: string) => void;
	/** Gives the lease back if this run took one. */
	readonly release: () => Promise<void>;
};

type Options = {
	readonly job: Job;
	readonly journal: JobJournal;
	/** Steps that an earlier life of the daemon had begun. */
	readonly begunBefore: ReadonlySet<number>;
	/** The job has its VM's lane. */
	readonly inLane: boolean;
};

/** The state of a job whose plan has just been made; the journal gets it as its first line. */
export const beginRun = async (journal: JobJournal, job: Job, plan: Plan): Promise<RunState> => {
	const entry = { type: "plan", job, plan } as const;
	await journal.append(entry);
	return reduceRun(null, entry);
};

/** A job's own log and document, outside of any run too. */
export const createJobRun = (parts: RunParts, options: Options): JobRun => {
	const { deps, book, logs, events } = parts;
	let { job } = options;
	let lease: Promise<Lease> | null = null;
	let opened: Promise<Repository> | null = null;
	const repositoryOf = (plan: Plan) => (): Promise<Repository> => {
		opened ??= deps.catalog.open(plan.repository.id).catch((error: unknown) => {
			opened = null;
			throw error;
		});
		return opened;
	};
	const log = (level: JobLogLine["level"], text: string): void => {
		const line = { at: deps.clock.now(), level, text };
		logs.append(job.id, line);
		events.logged(job.id, line);
	};
	const change: JobRun["change"] = async (what) => {
		job = changeJob(job, what);
		await book.save(job);
		events.changed(job);
		return job;
	};
	const contextFor = (state: RunState, step: number, signal: AbortSignal): StepContext => ({
		job: job.id,
		plan: state.plan,
		outcomes: state.outcomes,
		repeated: options.begunBefore.has(step),
		signal,
		repository: repositoryOf(state.plan),
		lease: () => {
			lease ??= repositoryOf(state.plan)()
				.then((repository) => repository.lease(state.plan.vm.uuid, deps.host.id))
				.catch((error: unknown) => {
					lease = null;
					throw error;
				});
			return lease;
		},
		exclusive: (work) =>
			options.inLane
				? work()
				: parts.lanes.run(
						state.plan.vm.uuid,
						{ job: job.id, what: `${job.type} of ${state.plan.vm.name}` },
						{ signal, onWait: (reason) => log("info", reason) },
						work,
					),
		progress: (done, total, unit) => events.progress(job.id, done, total, unit),
		log,
		deps,
	});
	return {
		job: () => job,
		change,
		log,
		hooks: {
			journal: options.journal,
			steps: executors,
			contextFor,
			onPhase: async (step, index, count) => {
				log("info", step.kind);
				await change({ type: "phase", phase: { name: step.kind, index: index + 1, count } });
			},
			warn: (text) => log("warn", text),
		},
		release: async () => {
			if (lease === null) return;
			await lease
				.then((one) => one.release())
				.catch((error: unknown) => log("warn", String(error)));
		},
	};
};
