// A set of restores under way: what may start now, and what has to be left out. Pure; the driver starts jobs and says how they ended.
import type { RestoreItem } from "../plan/order-restores.ts";

/** How far one of them is. Of a failed and of a skipped one the reason is in words. */
export type RestoreState =
	| { readonly state: "waiting" }
	| { readonly state: "running" }
	| { readonly state: "done" }
	| { readonly state: "failed"; readonly reason: string }
	| { readonly state: "skipped"; readonly reason: string };

/** All of them, in the order of `orderRestores`. */
export type RestoreRun = {
	readonly items: readonly RestoreItem[];
	/** Restores at a time. */
	readonly parallel: number;
	readonly states: ReadonlyMap<string, RestoreState>;
};

/** Nothing has begun yet. `items` are ordered. */
export const beginRestores = (items: readonly RestoreItem[], parallel: number): RestoreRun => ({
	items,
	parallel,
	states: new Map(items.map(({ name }) => [name, { state: "waiting" }])),
});

const stateOf = ({ states }: RestoreRun, name: string): RestoreState["state"] | undefined =>
	states.get(name)?.state;

/** Names of those that may start now, the first first; no more than the limit leaves room for. */
export const readyRestores = (run: RestoreRun): readonly string[] => {
	const running = run.items.filter(({ name }) => stateOf(run, name) === "running").length;
	return run.items
		.filter(({ name }) => stateOf(run, name) === "waiting")
		.filter(({ after }) => after.every((one) => stateOf(run, one) === "done"))
		.slice(0, Math.max(0, run.parallel - running))
		.map(({ name }) => name);
};

/** Why one that waits can never start: the first of its dependencies that came to nothing. */
const whyNever = (run: RestoreRun, { after }: RestoreItem): string | undefined => {
	const lost = after.find((one) => ["failed", "skipped"].includes(stateOf(run, one) ?? ""));
	return lost === undefined
		? undefined
		: `it comes after ${lost}, which ${stateOf(run, lost) === "failed" ? "failed" : "was skipped"}`;
};

const withState = (run: RestoreRun, name: string, state: RestoreState): RestoreRun => ({
	...run,
	states: new Map([...run.states, [name, state]]),
});

/** The run after one has started or ended. What can never start any more is skipped, with the reason. */
export const markRestore = (run: RestoreRun, name: string, state: RestoreState): RestoreRun => {
	let next = withState(run, name, state);
	// What it is after stands before it in the order: once through is enough.
	for (const item of next.items) {
		const reason = stateOf(next, item.name) === "waiting" ? whyNever(next, item) : undefined;
		if (reason !== undefined) next = withState(next, item.name, { state: "skipped", reason });
	}
	return next;
};

/** The run after an interrupt: what has not begun is skipped. */
export const stopRestores = (run: RestoreRun, reason: string): RestoreRun => ({
	...run,
	states: new Map(
		[...run.states].map(([name, state]) => [
			name,
			state.state === "waiting" ? { state: "skipped", reason } : state,
		]),
	),
});

/** Nothing waits or runs any more. */
export const isOver = ({ states }: RestoreRun): boolean =>
	[...states.values()].every(({ state }) => state !== "waiting" && state !== "running");
