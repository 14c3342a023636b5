// Where things are on the screen: shared by what is drawn and what is clicked. Pure.
import type { State } from "../app/state.ts";
import type { Shown } from "../screens/rows.ts";
import { windowOf } from "../widgets/table.ts";
import type { Line } from "./frame.ts";

/** Lines above the screen's own: title and rule. */
export const ABOVE = 2;
const BELOW = 1;
/** Terminals at least this wide have room beside the rows. */
const WIDE = 100;

/** The screen's part of the terminal. */
export type Layout = {
	/** Lines for the screen. */
	readonly room: number;
	/** Columns of head and rows. */
	readonly width: number;
	/** Columns beside them; 0 for none. */
	readonly aside: number;
	readonly head: readonly Line[];
	/** Lines of the table, with its headings. */
	readonly table: number;
};

/** Columns that head and rows have where something is drawn beside them. */
export const besideAside = (width: number): number =>
	width < WIDE ? width : width - Math.floor(width * 0.45);

/** How a screen is laid out when `said` lines are taken by what was said. */
export const layoutOf = (state: State, { body }: Shown, said: number): Layout => {
	const { width, height } = state.size;
	const room = Math.max(0, height - ABOVE - BELOW - said);
	const aside = body.aside === undefined ? 0 : width - besideAside(width);
	const head = body.head.slice(
		0,
		Math.max(0, body.canvas === undefined ? Math.floor(room / 2) : room),
	);
	return { room, width: width - aside, aside, head, table: Math.max(0, room - head.length) };
};

/** The index of the row on a line of the terminal; null where there is none. */
export const rowAt = (state: State, shown: Shown, y: number): number | null => {
	const { head, table } = layoutOf(state, shown, 0);
	const headed = shown.body.columns.some((column) => column.head !== "") ? 1 : 0;
	const line = y - ABOVE - head.length - headed;
	const space = table - headed;
	if (line < 0 || line >= space) return null;
	const index = windowOf(shown.rows.length, shown.index, space) + line;
	return index < shown.rows.length ? index : null;
};
