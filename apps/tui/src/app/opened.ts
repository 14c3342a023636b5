// A connection on which everything that is seen first has been asked for. It loads nothing of the interface, so that the daemon
// answers while the interface is still being loaded.
import type { JobEvent } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import type { Msg } from "./msg.ts";
import { askFirst } from "./read.ts";

/** What is known of jobs is followed from before their list was asked for, so that no change falls between. */
export type Opened = {
	readonly client: KnibClient;
	/** Ends with `over`. */
	readonly events: AsyncIterable<JobEvent>;
	/** What is seen first, as messages; none rejects. */
	readonly first: readonly Promise<Msg>[];
	readonly over: AbortController;
};

/** Connects and asks. Rejects as `connect` does. */
export const open = async (connect: () => Promise<KnibClient>): Promise<Opened> => {
	const client = await connect();
	const over = new AbortController();
	const events = client.watchJobs(over.signal);
	return { client, events, first: askFirst(client.api), over };
};
