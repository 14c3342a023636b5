import type { Clock } from "@knib/core";

/** Something that the daemon looks after again and again. */
export interface Keeper {
	/** Looks once, and does what is due. */
	look(): Promise<void>;
	/** Looks again and again until `stop`. */
	start(): void;
	/** Resolves when no look is under way any more. */
	stop(): Promise<void>;
}

type Options = {
	readonly clock: Pick<Clock, "sleep">;
	readonly look: () => Promise<void>;
	/** How long to wait before the next look, ms; asked before each. */
	readonly waitMs: () => Promise<number>;
	/** Whether the first look is only due after the first wait. */
	readonly later?: boolean;
	/** Told of a look that failed; the next one comes in its time. */
	readonly onProblem: (error: unknown) => void;
};

export const createKeeper = ({ clock, look, waitMs, later, onProblem }: Options): Keeper => {
	const stopped = new AbortController();
	let loop: Promise<void> = Promise.resolve();
	const run = async (): Promise<void> => {
		let due = later !== true;
		while (!stopped.signal.aborted) {
			if (due) await look().catch(onProblem);
			due = true;
			await clock.sleep(await waitMs(), stopped.signal).catch(() => undefined);
		}
	};
	return {
		look,
		start: () => {
			loop = run();
		},
		stop: async () => {
			stopped.abort();
			await loop;
		},
	};
};
