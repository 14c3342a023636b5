import type { Job } from "../domain/job.ts";
import { type ErrorView, isErrorCode, KnibError } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import { isNotNow } from "../plan/service-retry.ts";
import { AFTER_PUBLICATION, CHANGES_NO_VM, POINTS_OF_NO_RETURN } from "../plan/steps.ts";
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
	/** Steps that failed and were not done since, each with its newest error. */
	readonly failed: ReadonlyMap<number, ErrorView>;
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

/** The state after one more entry. Throws JOURNAL_CORRUPT for an entry that cannot follow. */
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
			failed: new Map(),
		};
	}
	if (state === null)
		throw new KnibError("JOURNAL_CORRUPT", "a journal does not begin with its plan");
	switch (entry.type) {
		case "begin":
			return { ...state, begun: addTo(state.begun, entry.step) };
		case "done":
			return {
				...state,
				done: addTo(state.done, entry.step),
				outcomes: mergeOutcomes(state.outcomes, entry.outcome),
				failed: new Map([...state.failed].filter(([step]) => step !== entry.step)),
			};
		case "failed":
			return {
				...state,
				failed: new Map([...state.failed, [entry.step, asErrorView(entry.error)]]),
			};
		case "undoing":
			return { ...state, undoing: state.undoing ?? asErrorView(entry.error) };
		case "undone":
			return {
				...state,
				done: without(state.done, entry.step),
				undone: addTo(state.undone, entry.step),
			};
	}
};

/** What a journal found at start asks for: go back or go on. Before its point of no return is begun a job goes back; from then on it goes on until the repository has answered. */
export const recoverRun = (state: RunState): "back" | "forward" => {
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

/** Layers that a job was to merge and that are still there, with the reason (SPEC 2.11); also of a merge step that failed as a whole. */
export const leftoverOf = (
	state: Pick<RunState, "plan" | "outcomes" | "failed">,
): readonly { readonly target: string; readonly reason: string }[] => [
	...(state.outcomes.leftover ?? []),
	...[...state.failed].flatMap(([index, error]) => {
		const step = state.plan.steps[index];
		if (step?.kind !== "merge-overlays") return [];
		return step.merges.map(({ target }) => ({ target, reason: error.message }));
	}),
];

/** What a job that succeeded is to warn of: what its plan and its steps said, and what failed after the point of no return. */
export const warningsOf = (
	state: Pick<RunState, "plan" | "outcomes" | "failed">,
): readonly string[] => [
	...state.plan.warnings,
	...(state.outcomes.warnings ?? []),
	...[...state.failed].map(
		([index, error]) => `${state.plan.steps[index]?.kind ?? "a step"} failed: ${error.message}`,
	),
];

/** Why a job that failed waits instead, to be planned anew: libvirt was away, or it was told "not now", before it had changed anything, and nothing of it is left. Null: it has failed. */
export const whyAnew = (
	{ plan, begun }: Pick<RunState, "plan" | "begun">,
	error: Pick<ErrorView, "code" | "message" | "details">,
	leftover: readonly string[],
): string | null => {
	const touched = plan.steps.some(
		(step, index) => begun.has(index) && !CHANGES_NO_VM.has(step.kind),
	);
	if (touched || leftover.length > 0) return null;
	if (error.code === "LIBVIRT_UNREACHABLE") return LIBVIRT_AWAY;
	return isNotNow(error) ? error.message : null;
};

/** What a job says that waits until libvirt answers. */
export const LIBVIRT_AWAY = "libvirt does not answer";
