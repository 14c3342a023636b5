// Starts the process that thaws a frozen guest when nobody else does (SAFETY F19). It lives outside this process, so that a killed
// knibd leaves no guest frozen.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { KnibError } from "@knib/core";
import type { ThawWatchdog } from "../jobs/context.ts";
import type { Converse } from "./run-command.ts";

/** How long the watchdog's process may take to start, ms. */
const START_DEADLINE_MS = 10_000;

/** Path of the program beside this file: TypeScript when run from the sources, JavaScript when built. */
const programPath = (): string => {
	const here = import.meta.url;
	const name = here.endsWith(".ts") ? "./thaw-watchdog-main.ts" : "./thaw-watchdog-main.js";
	return fileURLToPath(new URL(name, here));
};

/** Starts a watchdog for one VM and resolves once it watches. It thaws when it is not told within `maximumMs` that the guest is thawed, or when this process dies. Rejects with DEADLINE when it does not start: nothing may be frozen then. */
export const startThawWatchdog =
	(converse: Converse, uri: string) =>
	async (vm: string, maximumMs: number): Promise<ThawWatchdog> => {
		let fired = false;
		const started = new EventTarget();
		const ready = once(started, "ready", { signal: AbortSignal.timeout(START_DEADLINE_MS) });
		const onLine = (line: string): void => {
			if (line.trim() === "watching") started.dispatchEvent(new Event("ready"));
			if (line.trim() === "fired") fired = true;
		};
		const child = converse(
			[process.execPath, ...process.execArgv, programPath(), uri, vm, String(maximumMs)],
			onLine,
			{ outlives: true },
		);
		try {
			await ready;
		} catch (error) {
			child.kill();
			throw new KnibError("DEADLINE", "the process that would thaw the guest did not start", {
				cause: error,
			});
		}
		return { fired: () => fired, done: () => child.write("done") };
	};
