import type { Job } from "../domain/job.ts";
import { type ErrorView, isErrorCode, KnibError } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import { AFTER_PUBLICATION, POINTS_OF_NO_RETURN } from "../plan/steps.ts";
import type { JournalEntry, Outcomes } from "./journal-entry.ts";

/** How far a job has come, as its journal says. */
export type RunState = {
	readonly job: Job;
	readonly plan: Plan;
	/** Steps that were begun at least once. */
	readonly begun: ReadonlySet<number>;
	/** Steps that are done and not undone. */
	readonly done: ReadonlySet<number>;
	readonly undone: ReadonlySet<number>;
	readonly outcomes: Outcomes;
	/** Set once the job goes back. */
	readonly undoing: ErrorView | null;
	readonly ended: boolean;
};

const addTo = (set: ReadonlySet<number>, value: number): ReadonlySet<number> =>
	new Set([...set, value]);

const without = (set: ReadonlySet<number>, value: number): ReadonlySet<number> =>
	new Set([...set].filter((one) => one !== value));

const mergeOutcomes = (a: Outcomes, b: Outcomes): Outcomes => ({
	...a,
	...b,
	...(a.warnings === undefined && b.warnings === undefined
		? {}
		: { warnings: [...(a.warnings ?? []), ...(b.warnings ?? [])] }),
});

const asErrorView = (error: {
	code: string;
	message: string;
	hint: string;
	details?: unknown;
}): ErrorView => ({
	code: isErrorCode(error.code) ? error.code : "INTERNAL",
	message: error.message,
	hint: error.hint,
	details: typeof error.details === "object" && error.details !== null ? { ...error.details } : {},
});

/** The state after one more entry. An ended run is left by no entry. Throws JOURNAL_CORRUPT for an entry that cannot follow. */
export const reduceRun = (state: RunState | null, entry: JournalEntry): RunState => {
	if (entry.type === "plan") {
		if (state !== null) throw new KnibError("JOURNAL_CORRUPT", "a journal holds two plans");
		return {
			job: entry.job,
			plan: entry.plan,
			begun: new Set(),
			done: new Set(),
			undone: new Set(),
			outcomes: {},
			undoing: null,
			ended: false,
		};
	}
	if (state === null)
		throw new KnibError("JOURNAL_CORRUPT", "a journal does not begin with its plan");
	if (state.ended) throw new KnibError("JOURNAL_CORRUPT", "a journal goes on after its end");
	switch (entry.type) {
		case "begin":
			return { ...state, begun: addTo(state.begun, entry.step) };
		case "done":
			return {
				...state,
				done: addTo(state.done, entry.step),
				outcomes: mergeOutcomes(state.outcomes, entry.outcome),
			};
		case "failed":
			return state;
		case "undoing":
			return { ...state, undoing: state.undoing ?? asErrorView(entry.error) };
		case "undone":
			return {
				...state,
				done: without(state.done, entry.step),
				undone: addTo(state.undone, entry.step),
			};
		case "end":
			return { ...state, ended: true };
	}
};

/** What a journal found at start asks for: go back, go on, or nothing. Before its point of no return is begun a job goes back; from then on it goes on until the repository has answered. */
export const recoverRun = (state: RunState): "back" | "forward" | "nothing" => {
	if (state.ended) return "nothing";
	if (state.undoing !== null) return "back";
	const { steps } = state.plan;
	if (steps.every((_, index) => state.done.has(index))) return "forward";
	if (steps.some((step) => POINTS_OF_NO_RETURN.has(step.kind))) {
		const late = steps.some(
			(step, index) =>
				state.begun.has(index) &&
				(POINTS_OF_NO_RETURN.has(step.kind) || AFTER_PUBLICATION.has(step.kind)),
		);
		return late ? "forward" : "back";
	}
	return steps.some((step) => AFTER_PUBLICATION.has(step.kind)) ? "forward" : "back";
};
