// A connection to the daemon's control socket.
import { connect as connectSocket, type Socket } from "node:net";
import type { BenchmarkEvent, BenchmarkInput, JobEvent } from "@knib/core";
import { KnibError } from "@knib/core/errors";
import { createTRPCClientProxy, type TRPCClient } from "@trpc/client";
import type { AppRouter } from "./router.ts";
import { Transport } from "./transport.ts";

/** A connection to a daemon. Calls reject with the daemon's KnibError, or with DAEMON_UNREACHABLE when the connection breaks. */
export type KnibClient = {
	readonly api: TRPCClient<AppRouter>;
	/** Fulfilled when the daemon has answered; never where it is silent. */
	readonly ready: Promise<void>;
	/** The job's state, then every change; ends after the job's end. */
	watchJob(job: string, signal?: AbortSignal): AsyncIterable<JobEvent>;
	/** Changes of all jobs until the signal. */
	watchJobs(signal?: AbortSignal): AsyncIterable<JobEvent>;
	/** Measures this host; ends with the result. Breaking off cancels it. */
	benchmark(input: Partial<BenchmarkInput>, signal?: AbortSignal): AsyncIterable<BenchmarkEvent>;
	close(): Promise<void>;
};

const unreachable = (socket: string, error: unknown): KnibError => {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	const denied = code === "EACCES" || code === "EPERM";
	const message = denied
		? `${socket} may not be opened by this user`
		: `no knibd answers on ${socket} (${String(code ?? error)})`;
	const hint = "run it as root, or join the group `knib`";
	return new KnibError("DAEMON_UNREACHABLE", message, {
		cause: error,
		details: { socket, code, ...(denied ? { hint } : {}) },
	});
};

/** The open socket; tRPC alone would try for ever when no daemon runs. */
const opened = (path: string): Promise<Socket> =>
	new Promise((resolve, reject) => {
		const socket = connectSocket(path);
		socket.once("connect", () => resolve(socket));
		// It stays: until the protocol on it listens, a socket that breaks must not end the process.
		socket.on("error", (error) => reject(unreachable(path, error)));
	});

/** Connects to the daemon on a socket. Rejects at once with DAEMON_UNREACHABLE when none answers. */
export const connect = async ({ socket }: { socket: string }): Promise<KnibClient> => {
	const transport = new Transport(socket, await opened(socket));
	const api = createTRPCClientProxy<AppRouter>(transport);
	const forever = new AbortController().signal;
	return {
		api,
		ready: transport.ready,
		watchJob: (job, signal) =>
			transport.items(api.job.watch.subscribe({ job }, { signal: signal ?? forever })),
		watchJobs: (signal) =>
			transport.items(api.job.watchAll.subscribe(undefined, { signal: signal ?? forever })),
		benchmark: (input, signal) =>
			transport.items(api.benchmark.run.subscribe(input, { signal: signal ?? forever })),
		close: () => transport.close(),
	};
};
