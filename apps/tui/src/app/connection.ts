// Keeps a connection to the daemon: reads everything at first, then follows jobs and reads again what changes without them; comes
// back by itself after the daemon was away.
import { setTimeout as sleep } from "node:timers/promises";
import { viewError } from "@knib/core/errors";
import type { KnibClient } from "@knib/host-daemon/client";
import type { Msg } from "./msg.ts";
import { type Opened, open } from "./opened.ts";
import { LIVE, readAll, readLists } from "./read.ts";

const AGAIN_MS = 1000;
const LIVE_MS = 5000;

/** What the connection needs: a way to connect, and whom to tell. */
export type ConnectionDeps = {
	/** The first connection, where it is under way already. */
	readonly ahead?: Promise<Opened> | undefined;
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

const session = async (deps: ConnectionDeps, opened: Opened): Promise<void> => {
	const { dispatch, onClient, signal } = deps;
	const { client, events, first, over } = opened;
	const end = (): void => over.abort();
	signal.addEventListener("abort", end, { once: true });
	if (signal.aborted) end();
	onClient(client);
	dispatch({ type: "link", state: "connected", message: null });
	void readAll(client.api, dispatch, first);
	void pollLive(client, dispatch, over.signal);
	try {
		for await (const event of events) dispatch({ type: "job-event", event });
	} finally {
		signal.removeEventListener("abort", end);
		end();
		onClient(null);
		await client.close().catch(() => undefined);
	}
};

/** Stays connected until the signal. */
export const stayConnected = async (deps: ConnectionDeps): Promise<void> => {
	let { ahead } = deps;
	while (!deps.signal.aborted) {
		const opened = ahead ?? open(deps.connect);
		ahead = undefined;
		try {
			await session(deps, await opened);
			if (!deps.signal.aborted)
				deps.dispatch({ type: "link", state: "lost", message: "the connection ended" });
		} catch (error) {
			const { message, hint } = viewError(error);
			if (!deps.signal.aborted) deps.dispatch({ type: "link", state: "lost", message, hint });
		}
		await pause(AGAIN_MS, deps.signal);
	}
};
