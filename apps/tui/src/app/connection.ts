// Keeps a connection to the daemon: reads everything at first, then follows jobs and reads again what changes without them; comes
// back by itself after the daemon was away.
import { setTimeout as sleep } from "node:timers/promises";
import { asKnibError } from "@knib/core/errors";
import type { KnibClient } from "@knib/host-daemon/client";
import type { Msg } from "./msg.ts";
import { LIVE, readAll, readLists } from "./read.ts";

const AGAIN_MS = 1000;
const LIVE_MS = 5000;

/** What the connection needs: a way to connect, and whom to tell. */
export type ConnectionDeps = {
	readonly connect: () => Promise<KnibClient>;
	readonly dispatch: (msg: Msg) => void;
	readonly onClient: (client: KnibClient | null) => void;
	readonly signal: AbortSignal;
};

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
	await sleep(ms, undefined, { signal }).catch(() => undefined);
};

const pollLive = async (
	client: KnibClient,
	dispatch: ConnectionDeps["dispatch"],
	signal: AbortSignal,
): Promise<void> => {
	while (!signal.aborted) {
		await pause(LIVE_MS, signal);
		if (!signal.aborted) await readLists(client.api, LIVE, dispatch);
	}
};

const session = async (deps: ConnectionDeps, client: KnibClient): Promise<void> => {
	const { dispatch, onClient, signal } = deps;
	const over = new AbortController();
	const both = AbortSignal.any([signal, over.signal]);
	onClient(client);
	dispatch({ type: "link", state: "connected", message: null });
	const events = client.watchJobs(both);
	void readAll(client.api, dispatch);
	void pollLive(client, dispatch, both);
	try {
		for await (const event of events) dispatch({ type: "job-event", event });
	} finally {
		over.abort();
		onClient(null);
		await client.close().catch(() => undefined);
	}
};

/** Stays connected until the signal. */
export const stayConnected = async (deps: ConnectionDeps): Promise<void> => {
	while (!deps.signal.aborted) {
		try {
			await session(deps, await deps.connect());
			if (!deps.signal.aborted)
				deps.dispatch({ type: "link", state: "lost", message: "the connection ended" });
		} catch (error) {
			const { message } = asKnibError(error);
			if (!deps.signal.aborted) deps.dispatch({ type: "link", state: "lost", message });
		}
		await pause(AGAIN_MS, deps.signal);
	}
};
