// The queue of messages, and at most one paint a frame. It knows neither terminal nor daemon.
import type { Frame } from "../view/frame.ts";
import type { Effect, Msg } from "./msg.ts";
import type { Step } from "./navigate.ts";
import type { State } from "./state.ts";

/** Milliseconds between paints while jobs report. */
const FRAME_MS = 50;
/** Milliseconds that the answers to one question may lie apart. */
const ANSWERS_MS = 5;

/** When a message is to be seen. */
const delayOf = ({ type }: Msg): number =>
	type === "job-event" || type === "tick" ? FRAME_MS : ANSWERS_MS;

/** What the loop drives. */
export type LoopDeps = {
	readonly update: (state: State, msg: Msg) => Step;
	readonly view: (state: State) => Frame;
	readonly paint: (frame: Frame) => void;
	readonly run: (effect: Effect) => void;
	/** Runs something later; answers how to forget it. */
	readonly later: (act: () => void, ms: number) => () => void;
};
export type Loop = {
	readonly dispatch: (msg: Msg) => void;
	readonly paintNow: () => void;
	readonly stop: () => void;
};

/** Starts a loop with a first paint. Keys are painted at once, answers as soon as they are together, reports of jobs at the next frame. */
export const startLoop = (first: State, deps: LoopDeps): Loop => {
	let state = first;
	let waits: { readonly ms: number; readonly forget: () => void } | null = null;
	let stopped = false;
	const paintNow = (): void => {
		waits?.forget();
		waits = null;
		if (!stopped) deps.paint(deps.view(state));
	};
	const dispatch = (msg: Msg): void => {
		if (stopped) return;
		const [next, effects] = deps.update(state, msg);
		const same = next === state;
		state = next;
		for (const effect of effects) deps.run(effect);
		if (same) return;
		const ms = delayOf(msg);
		if (msg.type === "key") paintNow();
		else if (waits === null || ms < waits.ms) {
			waits?.forget();
			waits = { ms, forget: deps.later(paintNow, ms) };
		}
	};
	paintNow();
	return {
		dispatch,
		paintNow,
		stop: () => {
			stopped = true;
			waits?.forget();
		},
	};
};
