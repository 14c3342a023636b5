// Every implementation of the replica, empty, and documents of a host for it.
import { createMemoryReplica, createSigner, openRxStore, type Replica } from "@knib/sync";
import type { ExecutionContext } from "ava";
import { aKey, idOf } from "../../sync/hosts.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A new host's id, and how it signs. */
export const aSelf = () => {
	const key = aKey();
	return { id: idOf(key), sign: createSigner(() => key) };
};

/** A replica, and how a test gives it back. */
export type OpenReplica = { readonly replica: Replica; readonly close: () => Promise<void> };

/** Opens the durable store of a host. */
export const openReplicated = async (
	t: ExecutionContext,
	dir: string,
	self: ReturnType<typeof aSelf>,
	now: () => number = Date.now,
) =>
	openRxStore({
		dir,
		owner: self.id,
		sign: self.sign,
		now,
		onFatal: (error) => t.fail(error.message),
	});

/** Every implementation. A process holds one durable store: tests on it are serial, and close it. */
export const REPLICAS: Record<string, (t: ExecutionContext) => Promise<OpenReplica>> = {
	memory: async () => ({
		replica: createMemoryReplica("one", Date.now),
		close: async () => undefined,
	}),
	rx: async (t) => {
		const store = await openReplicated(t, await temporaryDirectory(t), aSelf());
		return { replica: store.replica, close: () => store.close() };
	},
};
