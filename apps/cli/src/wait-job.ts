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
	readonly job: string;
	readonly onEvent: (event: JobEvent) => void;
	readonly onInterrupt: () => void;
	/** The process; a test gives its own. */
	readonly interrupts?: Interrupts;
	/** When false an interrupt only stops watching: the job is somebody else's. */
	readonly cancels?: boolean;
};

/** Resolves with the job when it has ended. Rejects with DAEMON_UNREACHABLE when the daemon goes away; the job itself does not depend on it. */
export const waitForJob = async (options: Options): Promise<JobView> => {
	const { client, job, interrupts = process, cancels = true } = options;
	let asked = 0;
	let failed: KnibError | undefined;
	const cancel = (): void => {
		asked += 1;
		if (asked > 1 || !cancels) interrupts.exit(INTERRUPTED);
		options.onInterrupt();
		client.api.job.cancel.mutate({ job }).catch((error: unknown) => {
			failed = asKnibError(error);
		});
	};
	for (const signal of SIGNALS) interrupts.on(signal, cancel);
	try {
		for await (const event of client.watchJob(job)) {
			options.onEvent(event);
			if (event.type === "end") return event.job;
		}
	} finally {
		for (const signal of SIGNALS) interrupts.off(signal, cancel);
	}
	throw failed ?? new KnibError("INTERNAL", `the events of job ${job} ended before the job did`);
};
