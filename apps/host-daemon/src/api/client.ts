// The only module of the host daemon that its clients import. It loads nothing heavy: what does (the store, the daemon, the
// checks) is imported when it is called for.
export { connect, type KnibClient } from "./connect.ts";

/** Reads the configuration of this host; see config.ts. */
export const loadConfig: typeof import("../config.ts").loadConfig = async (options) =>
	(await import("../config.ts")).loadConfig(options);

/** Sets this host up, with or without a running daemon; see init-host.ts. */
export const initHost: typeof import("../init/init-host.ts").initHost = async (options) =>
	(await import("../init/init-host.ts")).initHost(options);

/** Checks this host, with or without a running daemon; see run-doctor.ts. */
export const runDoctor: typeof import("../doctor/run-doctor.ts").runDoctor = async (options) =>
	(await import("../doctor/run-doctor.ts")).runDoctor(options);

/** Runs the daemon in this process until it is told to stop; see main.ts. */
export const runDaemon: typeof import("../main.ts").runDaemon = async (options) =>
	(await import("../main.ts")).runDaemon(options);
