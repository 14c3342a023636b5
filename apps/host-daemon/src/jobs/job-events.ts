// What watchers see: states at once, progress at most 4 times a second with rate and time left. Nothing here is stored.
import type { Clock, Job, JobEvent, JobLogLine, JobView, Progress } from "@knib/core";

/** Shortest time between two progress events of a job, ms. */
const PROGRESS_INTERVAL_MS = 250;
/** Events that a slow watcher may be behind before the oldest progress is dropped. */
const BACKLOG = 1_000;

type Listener = (event: JobEvent) => void;
type Live = {
	progress: Progress | null;
	phase: Job["phase"];
	startedAt: number;
	sentAt: number;
	startedWith: number;
};

/** Live state of the jobs of this daemon. */
export interface JobEvents {
	view(job: Job): JobView;
	changed(job: Job): void;
	ended(job: Job): void;
	logged(job: string, line: JobLogLine): void;
	progress(job: string, done: number, total: number, unit: Progress["unit"]): void;
	/** Events of one job, or of all; ends with the job's end or the signal. */
	watch(job: string | null, signal: AbortSignal): AsyncIterable<JobEvent>;
}

const viewOf = (job: Job, progress: Progress | null): JobView => {
	const { request: _request, ...view } = job;
	return { ...view, progress };
};

const rateOf = (live: Live, done: number, now: number): number => {
	const elapsed = (now - live.startedAt) / 1000;
	return elapsed < 0.2 ? 0 : Math.max(0, (done - live.startedWith) / elapsed);
};

async function* drain(
	subscribe: (listener: Listener) => () => void,
	job: string | null,
	signal: AbortSignal,
): AsyncGenerator<JobEvent> {
	const queue: JobEvent[] = [];
	let wake: () => void = () => undefined;
	const stop = subscribe((event) => {
		if (queue.length >= BACKLOG) {
			const old = queue.findIndex((one) => one.type === "progress");
			queue.splice(Math.max(0, old), 1);
		}
		queue.push(event);
		wake();
	});
	const onAbort = (): void => wake();
	signal.addEventListener("abort", onAbort);
	try {
		while (!signal.aborted) {
			const event = queue.shift();
			if (event === undefined) {
				await new Promise<void>((resolve) => {
					wake = resolve;
					if (queue.length > 0 || signal.aborted) resolve();
				});
				continue;
			}
			yield event;
			if (job !== null && event.type === "end") return;
		}
	} finally {
		signal.removeEventListener("abort", onAbort);
		stop();
	}
}

const jobOf = (event: JobEvent): string =>
	event.type === "job" || event.type === "end" ? event.job.id : event.job;

export const createJobEvents = (clock: Clock): JobEvents => {
	const listeners = new Set<Listener>();
	const live = new Map<string, Live>();
	const emit = (event: JobEvent): void => {
		for (const listener of listeners) listener(event);
	};
	const view = (job: Job): JobView => viewOf(job, live.get(job.id)?.progress ?? null);
	return {
		view,
		changed: (job) => {
			const now = clock.monotonic();
			const before = live.get(job.id);
			if (job.phase?.index !== before?.phase?.index || before === undefined) {
				live.set(job.id, {
					progress: null,
					phase: job.phase,
					startedAt: now,
					sentAt: 0,
					startedWith: 0,
				});
			}
			emit({ type: "job", job: view(job) });
		},
		ended: (job) => {
			live.delete(job.id);
			emit({ type: "end", job: view(job) });
		},
		logged: (job, line) => emit({ type: "log", job, line }),
		progress: (job, done, total, unit) => {
			const state = live.get(job);
			if (state === undefined) return;
			const now = clock.monotonic();
			const rate = rateOf(state, done, now);
			const etaMs = rate > 0 && total > 0 ? Math.round(((total - done) / rate) * 1000) : null;
			state.progress = { done, total, unit, rate: Math.round(rate), etaMs };
			if (now - state.sentAt < PROGRESS_INTERVAL_MS && done < total) return;
			state.sentAt = now;
			emit({ type: "progress", job, phase: state.phase, progress: state.progress });
		},
		watch: (job, signal) =>
			drain(
				(listener) => {
					const one: Listener = (event) => {
						if (job === null || jobOf(event) === job) listener(event);
					};
					listeners.add(one);
					return () => listeners.delete(one);
				},
				job,
				signal,
			),
	};
};
