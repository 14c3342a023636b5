import type { LogBackend } from "./log-backend.ts";

/** Opens a log as open-store-log.ts does, which is loaded when it is called for: it takes 10 MiB. */
export const openStoreLog = async (directory: string): Promise<LogBackend> =>
	(await import("./open-store-log.ts")).openStoreLog(directory);
