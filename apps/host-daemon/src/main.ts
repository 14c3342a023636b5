// The daemon as a process: configuration, log, signals. `knibd` and `knib daemon run` come here.
import { setFlagsFromString } from "node:v8";
import { asKnibError, ERRORS, viewError } from "@knib/core";
import { type ConfigFlags, loadConfig } from "./config.ts";
import { startDaemon } from "./daemon.ts";
import { createLogger, type Logger } from "./logger.ts";
import { systemWorld } from "./system-world.ts";
import { knibVersion } from "./version.ts";

type Options = {
	readonly flags: ConfigFlags;
	readonly env: Readonly<Record<string, string | undefined>>;
};

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Resolves at the first signal; a second one ends the process at once. */
const signalled = (): Promise<string> =>
	new Promise((resolve) => {
		for (const signal of SIGNALS) {
			process.once(signal, () => {
				for (const again of SIGNALS) process.on(again, () => process.exit(130));
				resolve(signal);
			});
		}
	});

/** What nobody caught is a defect: the process ends, and what it was doing is taken up at the next start. */
const guard = (logger: Logger): void => {
	for (const event of ["uncaughtException", "unhandledRejection"] as const) {
		process.on(event, (err: unknown) => {
			logger.fatal({ err }, "defect was met");
			process.exit(1);
		});
	}
};

/** With KNIB_CRASH_AFTER_JOURNAL_LINES=n the process kills itself after the n-th durable line of its journals: how crash tests stop it at an exact place. */
const crashAfterLines = (env: Options["env"]): ((count: number) => void) | undefined => {
	const limit = Number(env["KNIB_CRASH_AFTER_JOURNAL_LINES"]);
	if (!Number.isInteger(limit) || limit < 1) return undefined;
	return (count) => {
		if (count === limit) process.kill(process.pid, "SIGKILL");
	};
};

/** Runs the daemon until a signal or a failure that it cannot live with. Resolves with the exit code; a failed start rejects. */
export const runDaemon = async ({ flags, env }: Options): Promise<number> => {
	// Keeps V8's young generation small: the store's documents are long-lived, and the daemon's memory is half as large for it.
	setFlagsFromString("--semi-space-growth-factor=1");
	const config = await loadConfig({ flags, env });
	const logger = createLogger(config.logLevel);
	const stopped = signalled();
	guard(logger);
	const version = await knibVersion();
	const onJournalLine = crashAfterLines(env);
	const daemon = await startDaemon({
		config,
		logger,
		version,
		world: systemWorld(config),
		...(onJournalLine === undefined ? {} : { onJournalLine }),
	});
	const { socket, stateDir, file } = config;
	logger.info(
		{ host: daemon.identity.id, socket, stateDir, config: file, version },
		"knibd started",
	);
	const reason = await Promise.race([stopped, daemon.failed]);
	if (typeof reason !== "string") logger.fatal({ err: reason }, "knibd cannot go on");
	else logger.info({ signal: reason }, "knibd stops");
	await daemon.stop();
	logger.info("knibd stopped");
	return typeof reason === "string" ? 0 : ERRORS[viewError(asKnibError(reason)).code].exit;
};
