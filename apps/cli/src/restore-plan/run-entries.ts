// Drives the restores of a plan: starts what may start, waits for all that run at once, and leaves out what can never start.
import {
	beginRestores,
	isOver,
	type JobEvent,
	type JobView,
	KnibError,
	markRestore,
	type RestorePlanError,
	type RestorePlanOutcome,
	type RestoreState,
	readyRestores,
	stopRestores,
	viewError,
	whyNotAsAsked,
} from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { errorOfJob } from "../print/job-line.ts";
import { waitForJob } from "../wait-job.ts";
import type { CheckedEntry } from "./check-entries.ts";
import type { SharedInterrupts } from "./interrupts.ts";
import { viewEntry } from "./preview.ts";

type Ended = Pick<RestorePlanOutcome, "job" | "result" | "error" | "warnings">;
type Options = {
	readonly client: KnibClient;
	/** In the order of the plan. */
	readonly checked: readonly CheckedEntry[];
	readonly parallel: number;
	readonly interrupts: SharedInterrupts;
	readonly onEvent: (name: string, event: JobEvent) => void;
	/** Told of every change: what was begun, what has ended, what is left out. */
	readonly onState: (name: string, state: RestoreState, job: string | null) => void;
	/** Told once, at the first signal. */
	readonly onInterrupt: () => void;
};

const NOTHING: Ended = { job: null, result: null, error: null, warnings: [] };

const failed = (error: RestorePlanError): RestoreState => ({
	state: "failed",
	reason: error.message,
});

const judge = ({ entry }: CheckedEntry, job: JobView): readonly [RestoreState, Ended] => {
	const ended = { job: job.id, result: job.result, error: null, warnings: job.warnings };
	if (job.state !== "succeeded") {
		const error = errorOfJob(job);
		return [failed(error), { ...ended, error }];
	}
	const reason = whyNotAsAsked(entry, job.result);
	if (reason === null) return [{ state: "done" }, ended];
	const hint = "the VM stays as it is; `knib job log` says what was tried";
	const error = viewError(new KnibError("JOB_FAILED", reason, { details: { hint } }));
	return [failed(error), { ...ended, error }];
};

const restoreOne = async (
	{ client, interrupts, onEvent, onState }: Options,
	one: CheckedEntry,
): Promise<readonly [RestoreState, Ended]> => {
	const { host, request } = one;
	const { start, ask } = client.api.job;
	const { name } = one.entry;
	let id: string | null = null;
	try {
		const job = await waitForJob({
			client,
			start: async () => {
				const begun = host === undefined ? start.mutate(request) : ask.mutate({ host, request });
				id = (await begun).id;
				onState(name, { state: "running" }, id);
				return id;
			},
			onEvent: (event) => onEvent(name, event),
			onInterrupt: () => undefined,
			interrupts,
		});
		return judge(one, job);
	} catch (thrown) {
		const error = viewError(thrown);
		return [failed(error), { ...NOTHING, job: id, error }];
	}
};

const reasonOf = (state: RestoreState): string | null => ("reason" in state ? state.reason : null);

/** Carries all of it out; resolves when nothing runs any more. An interrupt cancels what runs, waits for the undo, and begins nothing else. */
export const runEntries = async (
	options: Options,
): Promise<{ readonly entries: readonly RestorePlanOutcome[]; readonly interrupted: boolean }> => {
	const { checked, parallel, interrupts, onState } = options;
	let run = beginRestores(
		checked.map(({ entry }) => entry),
		parallel,
	);
	let interrupted = false;
	const ends = new Map<string, Ended>();
	const active = new Map<string, Promise<void>>();
	const change = (next: typeof run): void => {
		const before = run;
		run = next;
		for (const [name, state] of next.states) {
			const known = before.states.get(name) === state || state.state === "running";
			if (!known) onState(name, state, ends.get(name)?.job ?? null);
		}
	};
	const stop = (): void => {
		if (!interrupted) options.onInterrupt();
		interrupted = true;
		change(stopRestores(run, "it was not begun: the command was interrupted"));
	};
	const begin = async (one: CheckedEntry): Promise<void> => {
		const [state, ended] = await restoreOne(options, one);
		ends.set(one.entry.name, ended);
		active.delete(one.entry.name);
		change(markRestore(run, one.entry.name, state));
	};
	for (const signal of ["SIGINT", "SIGTERM"] as const) interrupts.on(signal, stop);
	while (!isOver(run)) {
		for (const name of readyRestores(run)) {
			const one = checked.find(({ entry }) => entry.name === name);
			if (one === undefined) continue;
			change(markRestore(run, name, { state: "running" }));
			active.set(name, begin(one));
		}
		await Promise.race(active.values());
	}
	for (const signal of ["SIGINT", "SIGTERM"] as const) interrupts.off(signal, stop);
	const entries = checked.map((one): RestorePlanOutcome => {
		const state = run.states.get(one.entry.name) ?? { state: "waiting" };
		const end = state.state === "done" || state.state === "failed" ? state.state : "skipped";
		const ended = ends.get(one.entry.name) ?? NOTHING;
		return { ...viewEntry(one), state: end, reason: reasonOf(state), ...ended };
	});
	return { entries, interrupted };
};
