// Layers that a job had to leave are merged in the background, each time with the full proof (SPEC 2.11): a job of its own, at
// intervals, for every VM of which it is noted.
import type { Clock, Job, JobRequest } from "@knib/core";
import { createKeeper, type Keeper } from "./keeper.ts";

/** How often what was left is tried again, ms. */
const RETRY_MS = 10 * 60_000;

type Options = {
	readonly clock: Clock;
	/** Uuids of the VMs of which an extra layer is noted. */
	readonly noted: () => Promise<readonly string[]>;
	readonly jobs: {
		readonly list: (filter: { readonly vm: string }) => Promise<readonly Pick<Job, "endedAt">[]>;
		readonly plan: (request: JobRequest) => Promise<unknown>;
		readonly start: (request: JobRequest, user: string) => Promise<unknown>;
	};
	readonly onProblem: (error: unknown) => void;
};

export const createMergeKeeper = ({ clock, noted, jobs, onProblem }: Options): Keeper => {
	/** What cannot be planned now, such as for a VM in a saved state, makes no job that fails. */
	const isPossible = (vm: string): Promise<boolean> =>
		jobs.plan({ type: "MergeOverlays", vm }).then(
			() => true,
			() => false,
		);

	const look = async (): Promise<void> => {
		for (const vm of await noted()) {
			// Whatever runs or waits on the VM may merge the layer itself, and comes first.
			const busy = (await jobs.list({ vm })).some((job) => job.endedAt === null);
			if (busy || !(await isPossible(vm))) continue;
			await jobs.start({ type: "MergeOverlays", vm }, "knibd").catch(onProblem);
		}
	};
	return createKeeper({ clock, look, waitMs: async () => RETRY_MS, later: true, onProblem });
};
