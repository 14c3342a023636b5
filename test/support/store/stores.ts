import type { Store } from "@knib/core";
import { createMemoryStore, openRxStore } from "@knib/sync";
import type { ExecutionContext } from "ava";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The owner in tests. */
export const OWNER = "a1".repeat(32);

/** Opens the durable store in a directory; a failure of its log fails the test. */
export const openStoreIn = async (t: ExecutionContext, dir: string) =>
	openRxStore({ dir, owner: OWNER, onFatal: (error) => t.fail(error.message) });

/** Every implementation of the store, empty. A process holds one durable store: tests on it are serial, and close it. */
export const STORES: Record<string, (t: ExecutionContext) => Promise<Store>> = {
	memory: async () => createMemoryStore({ owner: OWNER }),
	rx: async (t) => openStoreIn(t, await temporaryDirectory(t)),
	"replicated rx": async (t) =>
		openRxStore({
			dir: await temporaryDirectory(t),
			owner: OWNER,
			sign: (text) => `signed ${text.length}`,
			onFatal: (error) => t.fail(error.message),
		}),
};
