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

/** Nobody knows whether the backup appeared: it was tried, and nothing says that it certainly did not (F17). */
const leavesUnknown = (step: Step, error: KnibError): boolean => {
	const { outcome } = error.details;
	return outcome === "unknown" || (step.kind === "publish" && outcome !== "not-done");
};

/** The state of a run with its journal: an entry counts once it is durable. */
type Recorder = {
	readonly state: () => RunState;
	readonly write: (entry: JournalEntry) => Promise<void>;
	/** For entries that nothing depends on: one that the journal cannot take is reported, and counts all the same. */
	readonly note: (entry: JournalEntry) => Promise<void>;
};

const record = (start: RunState, hooks: RunHooks): Recorder => {
	let state = start;
	return {
		state: () => state,
		write: async (entry) => {
			await hooks.journal.append(entry);
			state = reduceRun(state, entry);
		},
		note: async (entry) => {
			await hooks.journal
				.append(entry)
				.catch((error: unknown) => hooks.warn(asKnibError(error).message));
			state = reduceRun(state, entry);
		},
	};
};

type StepFailure = { readonly error: KnibError; readonly unknown: boolean };

/** Runs one step; undefined when it is done. */
const runStep = async (
	recorder: Recorder,
	hooks: RunHooks,
	index: number,
	step: Step,
	signal: AbortSignal,
): Promise<StepFailure | undefined> => {
	const late = AFTER_PUBLICATION.has(step.kind);
	let began = false;
	try {
		if (!late) signal.throwIfAborted();
		await hooks.onPhase(step, index, recorder.state().plan.steps.length);
		const context = hooks.contextFor(recorder.state(), index, late ? NEVER : signal);
		await recorder.write({ type: "begin", step: index });
		began = true;
		const outcome = await hooks.steps.run(step, context);
		await recorder.write({ type: "done", step: index, outcome });
		return undefined;
	} catch (thrown) {
		// What a cancelled program says of its end is not why it ended: the signal knows.
		const own = asKnibError(thrown);
		const unknown = began && leavesUnknown(step, own);
		const reason: unknown = late || !signal.aborted || unknown ? own : signal.reason;
		const error = asKnibError(reason);
		await recorder.note({ type: "failed", step: index, error: viewError(error) });
		return { error, unknown };
	}
};

/** Goes on from where the journal is, forward. The signal cancels it up to the publication, not after. */
export const runForward = async (
	start: RunState,
	hooks: RunHooks,
	signal: AbortSignal,
): Promise<RunEnd> => {
	const recorder = record(start, hooks);
	for (const [index, step] of start.plan.steps.entries()) {
		if (start.done.has(index)) continue;
		const failure = await runStep(recorder, hooks, index, step, signal);
		if (failure === undefined) continue;
		const { error, unknown } = failure;
		const state = recorder.state();
		if (unknown) return { how: "unconfirmed", state, error };
		if (!AFTER_PUBLICATION.has(step.kind)) return runBack(state, hooks, error);
		hooks.warn(`${step.kind}: ${error.message}`);
	}
	return { how: "done", state: recorder.state() };
};

/** Takes back every step that was begun, the newest first. A step that cannot be taken back is reported and left; the rest is still taken back. */
export const runBack = async (
	start: RunState,
	hooks: RunHooks,
	cause: KnibError,
): Promise<RunEnd> => {
	// Going back needs no journal: every undo may be repeated, so a full disk does not keep the VM from being put right.
	const recorder = record(start, hooks);
	if (start.undoing === null) await recorder.note({ type: "undoing", error: viewError(cause) });
	const leftover: string[] = [];
	for (const [index, step] of [...start.plan.steps.entries()].reverse()) {
		if (!start.begun.has(index) || start.undone.has(index)) continue;
		try {
			await hooks.steps.undo(step, hooks.contextFor(recorder.state(), index, NEVER));
			await recorder.note({ type: "undone", step: index });
		} catch (thrown) {
			const text = `${step.kind} could not be taken back: ${asKnibError(thrown).message}`;
			leftover.push(text);
			hooks.warn(text);
		}
	}
	return { how: "undone", state: recorder.state(), error: cause, leftover };
};
