// Waiting for a job: its progress is shown, an interrupt cancels it and waits for the undo, a second one leaves at once.
import { asKnibError, type JobEvent, type JobView, KnibError } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { INTERRUPTED } from "./exit-code.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

type Interrupts = {
	on(signal: (typeof SIGNALS)[number], listener: () => void): unknown;
	off(signal: (typeof SIGNALS)[number], listener: () => void): unknown;
	exit(code: number): never;
};
type Options = {
	readonly client: Pick<KnibClient, "api" | "watchJob">;
	/** Starts the job, or says which it is; an interrupt meanwhile cancels it as soon as its id is known. */
	readonly start: () => Promise<string>;
	readonly onEvent: (event: JobEvent) => void;
	/** Told the job, null while it has none yet. */
	readonly onInterrupt: (job: string | null) => void;
	/** The process; a test gives its own. */
	readonly interrupts?: Interrupts;
	/** When false an interrupt only stops watching: the job is somebody else's. */
	readonly cancels?: boolean;
	/** Stops watching a job that has not ended, such as one that goes on much later. */
	readonly isEnough?: (job: JobView) => boolean;
};

/** Pauses between attempts for which a command goes on waiting, ms. */
const SHORT_PAUSE_MS = 60_000;

/** Whether an attempt of the job has failed and the next one is more than a minute off: nobody sits there until then. */
export const isRetriedLater = ({ state, error, scheduledAt }: JobView, nowMs: number): boolean =>
	state === "waiting" &&
	error !== null &&
	scheduledAt !== null &&
	Date.parse(scheduledAt) - nowMs > SHORT_PAUSE_MS;

/** Resolves with the job when it has ended, or is watched no longer. Rejects with DAEMON_UNREACHABLE when the daemon goes away; the job itself does not depend on it. */
export const waitForJob = async (options: Options): Promise<JobView> => {
	const { client, interrupts = process, cancels = true } = options;
	let job: string | null = null;
	let asked = 0;
	let failed: KnibError | undefined;
	const cancelJob = (id: string): void => {
		client.api.job.cancel.mutate({ job: id }).catch((error: unknown) => {
			failed = asKnibError(error);
		});
	};
	const cancel = (): void => {
		asked += 1;
		if (asked > 1 || !cancels) interrupts.exit(INTERRUPTED);
		options.onInterrupt(job);
		if (job !== null) cancelJob(job);
	};
	for (const signal of SIGNALS) interrupts.on(signal, cancel);
	try {
		const id = await options.start();
		job = id;
		if (asked > 0) cancelJob(id);
		for await (const event of client.watchJob(id)) {
			options.onEvent(event);
			if (event.type === "end") return event.job;
			if (event.type === "job" && options.isEnough?.(event.job) === true) return event.job;
		}
	} finally {
		for (const signal of SIGNALS) interrupts.off(signal, cancel);
	}
	throw failed ?? new KnibError("INTERNAL", `the events of job ${job} ended before the job did`);
};
