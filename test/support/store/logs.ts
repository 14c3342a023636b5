import { join } from "node:path";
import type { OpenLog } from "@knib/sync";
import type { ExecutionContext } from "ava";
import { createMemoryLogs } from "../../../packages/sync/src/storage/memory-log.ts";
import { openStoreLog } from "../../../packages/sync/src/storage/open-store-log.ts";
import { openPouchLog } from "../../../packages/sync/src/storage/pouch-log.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Every implementation of the log: makes an empty one and returns what opens it, again and again. */
export const LOG_BACKENDS: Record<string, (t: ExecutionContext) => Promise<OpenLog>> = {
	memory: async () => createMemoryLogs(crypto.randomUUID()).open,
	pouch: async (t) => {
		const directory = join(await temporaryDirectory(t), "log");
		return () => openPouchLog(directory);
	},
	"store directory, vacuumed at every chance": async (t) => {
		const directory = await temporaryDirectory(t);
		return () => openStoreLog(directory, { vacuumFrom: 1 });
	},
};
