import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, KnibError } from "@knib/core";

/** The clocks of this machine. */
export const systemClock: Clock = {
	now: () => new Date().toISOString(),
	monotonic: () => performance.now(),
	sleep: async (ms, signal) => {
		try {
			await sleep(ms, undefined, signal === undefined ? {} : { signal });
		} catch (error) {
			throw new KnibError("CANCELLED", "a wait was cancelled", { cause: error });
		}
	},
};
