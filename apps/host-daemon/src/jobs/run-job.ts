// Carries a plan out, forward or back, under the journal. It knows nothing of what the steps mean: executors do, and the reducer
// in core says what follows from the entries.
import {
	AFTER_PUBLICATION,
	asKnibError,
	type JournalEntry,
	type KnibError,
	type Outcomes,
	type RunState,
	reduceRun,
	type Step,
	viewError,
} from "@knib/core";
import type { StepContext } from "./context.ts";
import type { JobJournal } from "./journal.ts";

/** Runs or takes back one step, whatever its kind. */
export type StepRunner = {
	readonly run: (step: Step, context: StepContext) => Promise<Outcomes>;
	readonly undo: (step: Step, context: StepContext) => Promise<void>;
};

/** What a run needs of its surroundings. */
export type RunHooks = {
	readonly journal: JobJournal;
	readonly steps: StepRunner;
	readonly contextFor: (state: RunState, step: number, signal: AbortSignal) => StepContext;
	readonly onPhase: (step: Step, index: number, count: number) => Promise<void>;
	readonly warn: (text: string) => void;
};

/** How a run ended: all done, gone back because of an error, or left as it is because nobody knows whether it was published (F17). */
export type RunEnd =
	| { readonly how: "done"; readonly state: RunState }
	| {
			readonly how: "undone";
			readonly state: RunState;
			readonly error: KnibError;
			readonly leftover: readonly string[];
	  }
	| { readonly how: "unconfirmed"; readonly state: RunState; readonly error: KnibError };

const NEVER = new AbortController().signal;

const outcomeUnknown = (error: KnibError): boolean => error.details["outcome"] === "unknown";

/** Goes on from where the journal is, forward. The signal cancels it up to the publication, not after. */
export const runForward = async (
	start: RunState,
	hooks: RunHooks,
	signal: AbortSignal,
): Promise<RunEnd> => {
	let state = start;
	const write = async (entry: JournalEntry): Promise<void> => {
		await hooks.journal.append(entry);
		state = reduceRun(state, entry);
	};
	const { steps } = state.plan;
	for (const [index, step] of steps.entries()) {
		if (state.done.has(index)) continue;
		const late = AFTER_PUBLICATION.has(step.kind);
		try {
			if (!late) signal.throwIfAborted();
			await hooks.onPhase(step, index, steps.length);
			const context = hooks.contextFor(state, index, late ? NEVER : signal);
			await write({ type: "begin", step: index });
			const outcome = await hooks.steps.run(step, context);
			await write({ type: "done", step: index, outcome });
		} catch (thrown) {
			const error = asKnibError(thrown);
			await hooks.journal
				.append({ type: "failed", step: index, error: viewError(error) })
				.catch(() => undefined);
			if (outcomeUnknown(error) || step.kind === "confirm")
				return { how: "unconfirmed", state, error };
			if (!late) return runBack(state, hooks, error);
			hooks.warn(`${step.kind}: ${error.message}`);
		}
	}
	await write({ type: "end" });
	return { how: "done", state };
};

/** Takes back every step that was begun, the newest first. A step that cannot be taken back is reported and left; the rest is still taken back. */
export const runBack = async (
	start: RunState,
	hooks: RunHooks,
	cause: KnibError,
): Promise<RunEnd> => {
	let state = start;
	// Going back needs no journal: every undo may be repeated, so a full disk does not keep the VM from being put right.
	const write = async (entry: JournalEntry): Promise<void> => {
		await hooks.journal
			.append(entry)
			.catch((error: unknown) => hooks.warn(asKnibError(error).message));
		state = reduceRun(state, entry);
	};
	if (state.undoing === null) await write({ type: "undoing", error: viewError(cause) });
	const leftover: string[] = [];
	for (const [index, step] of [...state.plan.steps.entries()].reverse()) {
		if (!state.begun.has(index) || state.undone.has(index)) continue;
		try {
			await hooks.steps.undo(step, hooks.contextFor(state, index, NEVER));
			await write({ type: "undone", step: index });
		} catch (thrown) {
			const text = `${step.kind} could not be taken back: ${asKnibError(thrown).message}`;
			leftover.push(text);
			hooks.warn(text);
		}
	}
	await write({ type: "end" });
	return { how: "undone", state, error: cause, leftover };
};
