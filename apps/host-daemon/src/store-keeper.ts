// Keeps the store small: tombstones that are old enough are forgotten, once a day.
import type { Clock } from "@knib/core";

const DAY_MS = 86_400_000;
/** How long a removed document is remembered, ms. */
const TOMBSTONE_MS = 30 * DAY_MS;

/** A store that can forget. */
export type ForgetfulStore = {
	/** Forgets tombstones that are at least so many milliseconds old. */
	purgeTombstones?(minimumAgeMs: number): Promise<void>;
};

type Options = {
	readonly store: ForgetfulStore;
	readonly clock: Clock;
	/** Whether every other host has seen what was removed; a host that has not would bring it back. */
	readonly acknowledged: () => Promise<boolean>;
	readonly onProblem: (error: unknown) => void;
};

/** Looks at once and then every day until stopped. A look that fails is reported, and the next one tries again. */
export const startStoreKeeper = (options: Options): { readonly stop: () => Promise<void> } => {
	const { store, clock, acknowledged, onProblem } = options;
	const stopped = new AbortController();
	const look = async (): Promise<void> => {
		if (await acknowledged()) await store.purgeTombstones?.(TOMBSTONE_MS);
	};
	const run = async (): Promise<void> => {
		while (!stopped.signal.aborted) {
			await look().catch(onProblem);
			await clock.sleep(DAY_MS, stopped.signal).catch(() => undefined);
		}
	};
	const loop = run();
	return {
		stop: async () => {
			stopped.abort();
			await loop;
		},
	};
};
