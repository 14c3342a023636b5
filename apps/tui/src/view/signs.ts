// States as a sign, a word and a tone, never as colour alone; and instants, bars and curves.
import type { JobView, RepositoryView } from "@knib/core";
import { instant } from "@knib/core/text";
import type { Span, Tone } from "./frame.ts";

const TONES: Readonly<Record<string, Tone>> = {
	succeeded: "good",
	executing: "accent",
	waiting: "dim",
	failed: "bad",
	cancelled: "warn",
	BackedUp: "good",
	Failed: "bad",
	Unconfirmed: "warn",
	Removed: "dim",
	Expunged: "dim",
	Valid: "good",
	NotValid: "bad",
	ready: "good",
	"read-only": "warn",
	unreachable: "bad",
	invalid: "bad",
	online: "good",
	connected: "good",
	reconnecting: "warn",
	"through-others": "dim",
	removed: "dim",
	degraded: "warn",
	running: "good",
	paused: "warn",
};
const SIGNS: Readonly<Record<Tone, string>> = {
	good: "✓",
	bad: "✗",
	warn: "!",
	accent: "▶",
	dim: "·",
	plain: " ",
	bold: " ",
};

/** The tone of a state's word. */
export const toneOf = (state: string): Tone => TONES[state] ?? "plain";

/** The sign of a tone. */
export const signOf = (tone: Tone): string => SIGNS[tone];

/** A state with its sign. */
export const stateSpan = (state: string): Span => {
	const tone = toneOf(state);
	return { text: `${signOf(tone)} ${state}`, tone };
};

/** An instant to the minute, in UTC; it does not change while one looks at it. */
export const minute = (iso: string | null): string =>
	iso === null ? "-" : instant(iso).replace("T", " ").slice(0, 16);

/** How far a job has come, from 0 to 1; null when it does not say. */
export const fractionOf = (job: Pick<JobView, "progress">): number | null => {
	const { progress } = job;
	if (progress === null || progress.total <= 0) return null;
	return Math.min(1, Math.max(0, progress.done / progress.total));
};

/** A progress bar of this many cells. */
export const bar = (fraction: number, width: number): string => {
	const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
	return "█".repeat(filled) + "░".repeat(Math.max(0, width - filled));
};

const STEPS = "▁▂▃▄▅▆▇█";

/** A curve of numbers, one cell each, scaled to the largest. */
export const sparkline = (values: readonly number[]): string => {
	const most = Math.max(1, ...values);
	return values
		.map((value) => STEPS[Math.min(7, Math.floor((Math.max(0, value) / most) * 7.99))] ?? "▁")
		.join("");
};

/** Less than a tenth is free. */
export const nearlyFull = ({ capacity, free }: RepositoryView): boolean =>
	capacity > 0 && free / capacity < 0.1;
