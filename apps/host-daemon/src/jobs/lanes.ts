import { KnibError } from "@knib/core";

/** Who works on a lane. */
export type LaneHolder = { readonly job: string; readonly what: string };

/** One mutating job at a time for each lane (a VM's uuid); the rest wait in order, each with the reason in words. */
export interface Lanes {
	/** Who holds a lane now. */
	holder(lane: string): LaneHolder | undefined;
	/** Waits for the lane, runs `work`, and gives the lane to the next. `onWait` is told whom it waits for. Rejects with the signal's reason when it fires while waiting. */
	run<T>(
		lane: string,
		holder: LaneHolder,
		options: { readonly signal: AbortSignal; readonly onWait: (reason: string) => void },
		work: () => Promise<T>,
	): Promise<T>;
}

type Waiter = { readonly holder: LaneHolder; readonly go: () => void };
type Lane = { holder: LaneHolder; readonly queue: Waiter[] };

const waitTurn = (lane: Lane, holder: LaneHolder, signal: AbortSignal): Promise<void> =>
	new Promise((resolve, reject) => {
		const waiter: Waiter = {
			holder,
			go: () => {
				signal.removeEventListener("abort", onAbort);
				resolve();
			},
		};
		const onAbort = (): void => {
			const index = lane.queue.indexOf(waiter);
			if (index >= 0) lane.queue.splice(index, 1);
			const reason: unknown = signal.reason;
			reject(
				reason instanceof Error ? reason : new KnibError("CANCELLED", "cancelled while waiting"),
			);
		};
		signal.addEventListener("abort", onAbort, { once: true });
		lane.queue.push(waiter);
	});

export const createLanes = (): Lanes => {
	const lanes = new Map<string, Lane>();
	const release = (name: string, lane: Lane): void => {
		const next = lane.queue.shift();
		if (next === undefined) {
			lanes.delete(name);
			return;
		}
		lane.holder = next.holder;
		next.go();
	};
	return {
		holder: (name) => lanes.get(name)?.holder,
		run: async (name, holder, options, work) => {
			options.signal.throwIfAborted();
			let lane = lanes.get(name);
			if (lane === undefined) {
				lane = { holder, queue: [] };
				lanes.set(name, lane);
			} else {
				const before = lane.queue.at(-1)?.holder ?? lane.holder;
				options.onWait(`waits for ${before.what} (job ${before.job.slice(-8)})`);
				await waitTurn(lane, holder, options.signal);
			}
			try {
				return await work();
			} finally {
				release(name, lane);
			}
		},
	};
};
