// What a screen gives: facts on top, then rows. Layout, selection, filter and sorting are the same for all and live elsewhere.

import type { Route, State, Target } from "../app/state.ts";
import { type Line, type Placed, type Size, type Span, span, type Tone } from "../view/frame.ts";
import { signOf } from "../view/signs.ts";
import { wrap } from "../widgets/wrap.ts";

/** A cell, and what it sorts by where its text does not say. */
export type Cell = Span & { readonly key?: number | string };
export type Row = {
	/** Stays the same as long as the row means the same thing. */
	readonly id: string;
	/** Long lists make them when they are looked at. */
	readonly cells: readonly Cell[];
	/** What keys act on; null for rows that are only read. */
	readonly target: Target | null;
	/** Where enter leads. */
	readonly open: Route | null;
	/** A heading cannot be selected. */
	readonly heading?: boolean;
};
export type Column = {
	readonly head: string;
	/** Cells; 0 takes what is left. */
	readonly width: number;
	readonly right?: boolean;
	/** Shown only on terminals at least this wide. */
	readonly from?: number;
	/** For names, which are long at times: wider than told on wide terminals. */
	readonly grows?: true;
};
/** Something drawn in a space: at most its lines, and a picture placed in it. */
export type Canvas = (space: Size) => {
	readonly lines: readonly Line[];
	readonly picture: Placed | null;
};
export type Body = {
	readonly head: readonly Line[];
	readonly columns: readonly Column[];
	readonly rows: readonly Row[];
	/** Said where there are no rows. */
	readonly empty: string;
	readonly sortable: boolean;
	/** It grows at its end, which is what is looked at until a row is selected. */
	readonly follows?: boolean;
	/** Drawn beside head and rows where the terminal is wide enough. */
	readonly aside?: Canvas;
	/** Drawn below the head instead of rows. */
	readonly canvas?: Canvas;
};
export type Screen = {
	readonly title: (state: State, route: Route) => string;
	/** What a route is about, for keys where the row has no target of its own. */
	readonly target: (route: Route) => Target | null;
	readonly body: (state: State, route: Route, width: number) => Body;
};

/** One column for rows that are sentences. */
export const SENTENCES: readonly Column[] = [{ head: "", width: 0 }];

/** A fact as a line: name, then value. */
export const fact = (name: string, value: string, tone: Tone = "plain"): Line => [
	span(` ${name.padEnd(14)}`, "dim"),
	span(value, tone),
];

/** A fact that takes as many lines as its value needs. */
export const longFact = (
	name: string,
	value: string,
	width: number,
	tone: Tone = "plain",
): readonly Line[] =>
	wrap(value, Math.max(10, width - 16)).map((part, at) => fact(at === 0 ? name : "", part, tone));

/** A heading among rows of so many columns. */
export const heading = (text: string): Row => ({
	id: `heading ${text}`,
	cells: [span(text, "bold")],
	target: null,
	open: null,
	heading: true,
});

/** A row that is only read. */
export const sentence = (id: string, text: string, tone: Tone = "plain", sign = true): Row => ({
	id,
	cells: [span(sign ? `  ${signOf(tone)} ${text}` : `  ${text}`, tone)],
	target: null,
	open: null,
});

/** Whether no daemon has ever answered here. */
export const knowsNothing = ({ data }: State): boolean => data.vms === null && data.jobs === null;

/** What is said of a daemon that does not answer, and what to do about it. */
export const noDaemon = ({ link }: State): readonly Row[] => [
	sentence("no daemon", link.message ?? "no daemon answers", "bad"),
	sentence("no daemon hint", link.hint ?? "start it", "plain", false),
	sentence("no daemon end", "this screen connects by itself", "plain", false),
];

/** What an empty list says: that it is not read yet, cannot be read, or is empty. An answer that failed is no empty answer. */
export const emptyWords = (state: State, list: keyof State["data"], none: string): string => {
	const problem = state.problems[list];
	if (problem !== undefined) return `cannot be read: ${problem}`;
	if (state.data[list] !== null) return none;
	return state.link.state === "lost" ? "not known: no daemon answers" : "reading…";
};

/** A screen that is about no single thing. */
export const noTarget = (): null => null;
