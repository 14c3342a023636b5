// A change of policy in two acts: prepared (checked, explained), then applied. A dry run stops after the first.
import type { Outcome } from "@knib/core";

/** A change that was found to be allowed and is not made yet. */
export type Change<T> = {
	readonly type: string;
	/** What it will do and why, line by line. */
	readonly explain: readonly string[];
	readonly warnings?: readonly string[];
	apply(): Promise<T>;
};

/** Runs acts one after another, so that what was checked still holds when it is written. */
export type Turnstile = <T>(act: () => Promise<T>) => Promise<T>;

/** A turnstile; a failed act does not hold up the next. */
export const createTurnstile = (): Turnstile => {
	let last: Promise<unknown> = Promise.resolve();
	return async (act) => {
		const turn = last.then(act, act);
		last = turn.catch(() => undefined);
		return turn;
	};
};

/** Prepares a change in its turn and applies it, or with `dryRun` answers the plan. */
export const carryOut = async <T>(
	turnstile: Turnstile,
	prepare: () => Promise<Change<T>>,
	dryRun: boolean,
): Promise<Outcome<T>> =>
	turnstile(async () => {
		const change = await prepare();
		if (!dryRun) return { done: true, result: await change.apply() };
		const [reason = "nothing to do", ...rest] = change.explain;
		const { type, warnings = [] } = change;
		return { done: false, plan: { type, reason, explain: rest, warnings, steps: [] } };
	});
