// The connection to the daemon that flags, environment or configuration name.
import type { KnibClient } from "@knib/host-daemon/client";
import { environment } from "./environment.ts";

/** Connects. Rejects with DAEMON_UNREACHABLE, or CONFIG_INVALID when the configuration cannot be understood. */
export const openConnection = async (flags: {
	readonly config?: string | undefined;
	readonly socket?: string | undefined;
}): Promise<KnibClient> => {
	const { connect, loadConfig } = await import("@knib/host-daemon/client");
	const env = environment();
	const named = flags.socket ?? (flags.config === undefined ? env["KNIB_SOCKET"] : undefined);
	const config =
		named === undefined ? await loadConfig({ flags: { config: flags.config }, env }) : undefined;
	return await connect({ socket: named ?? config?.socket ?? "" });
};
