import type {
	Job,
	JobEvent,
	JobFilter,
	JobLogLine,
	JobRequest,
	JobView,
	PlanView,
} from "@knib/core";

/** The job queue as the control API and the scheduler see it. Unknown ids reject with NOT_FOUND; refusals with the planner's code. */
export interface JobService {
	/** What a request would do and why, without doing it. */
	plan(request: JobRequest): Promise<PlanView>;
	/** Stores the job and returns it; it runs when its turn comes. `user` is what the client states, noted in the audit trail as stated. */
	start(request: JobRequest, user: string): Promise<Job>;
	show(id: string): Promise<JobView>;
	list(filter: JobFilter): Promise<readonly JobView[]>;
	log(id: string): Promise<readonly JobLogLine[]>;
	/** The job's state, then every change; ends after the job's end. */
	watch(id: string, signal: AbortSignal): AsyncIterable<JobEvent>;
	/** Progress and state of all jobs, until the signal. */
	watchAll(signal: AbortSignal): AsyncIterable<JobEvent>;
	/** Asks the job to stop and undo; resolves when it is terminal. */
	cancel(id: string): Promise<JobView>;
	/** A new attempt at a failed or cancelled job's request. */
	retry(id: string, user: string): Promise<Job>;
}
