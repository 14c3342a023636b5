// Rows under columns, as many as fit, around the one that is selected.
import type { Cell, Column, Row } from "../screens/screen.ts";
import { fit, fitLine } from "../view/cells.ts";
import { type Line, type Span, span } from "../view/frame.ts";

/** The narrowest terminal that has room to share out. */
const ROOMY = 100;
const MOST_GROWTH = 24;

/** Cells of a column in a terminal of some width: one that grows gets a quarter of what it is wider than that. */
const cellsOf = ({ width, grows }: Column, whole: number): number =>
	grows === true
		? width + Math.min(MOST_GROWTH, Math.max(0, Math.floor((whole - ROOMY) / 4)))
		: width;

/** Which columns are shown at a width, with their cells. */
const laidOut = (columns: readonly Column[], width: number) => {
	const shown = columns
		.filter(({ from = 0 }) => from <= width)
		.map((column) => ({
			column: { ...column, width: cellsOf(column, width) },
			at: columns.indexOf(column),
		}));
	const fixed = shown.reduce((sum, { column }) => sum + column.width, 0);
	const rest = Math.max(8, width - fixed - shown.length);
	return shown.map(({ column, at }) => ({
		...column,
		at,
		width: column.width === 0 ? rest : column.width,
	}));
};

const cellSpans = (cells: readonly Cell[], columns: ReturnType<typeof laidOut>): Span[] =>
	columns.flatMap(({ at, width, right }) => [
		{ text: fit(cells[at]?.text ?? "", width, right ?? false), tone: cells[at]?.tone ?? "plain" },
		span(" "),
	]);

const headLine = (columns: readonly Column[], sort: number | null, width: number): Line =>
	laidOut(columns, width).map(({ head, at, width: cells, right }) =>
		span(`${fit(`${head}${at === sort ? "↓" : ""}`, cells, right ?? false)} `, "dim"),
	);

/** The part of a list that is shown: the selected one as near to the middle as may be. */
export const windowOf = (count: number, index: number, height: number): number =>
	Math.max(0, Math.min(count - height, index - Math.floor(height / 2)));

/** What a table is made of. */
export type Table = {
	readonly columns: readonly Column[];
	readonly rows: readonly Row[];
	readonly index: number;
	readonly sort: number | null;
	readonly marks: readonly string[];
	readonly empty: string;
};

const rowLine = (table: Table, row: Row, at: number, width: number): Line => {
	const marked = table.marks.includes(row.id) ? span("*", "accent") : span(" ");
	const whole = row.cells.length === 1;
	const cells = whole ? row.cells : cellSpans(row.cells, laidOut(table.columns, width - 1));
	const line = fitLine([marked, ...cells], width);
	return at === table.index
		? line.map(({ text }) => ({ text, tone: "plain", reverse: true }))
		: line;
};

/** A table as lines; only those that are seen are made. */
export const tableLines = (table: Table, width: number, height: number): readonly Line[] => {
	const headed = table.columns.some((column) => column.head !== "");
	const head: readonly Line[] = headed
		? [[span(" "), ...headLine(table.columns, table.sort, width - 1)]]
		: [];
	const room = Math.max(0, height - head.length);
	if (table.rows.length === 0) return [...head, [span(` ${table.empty}`, "dim")]].slice(0, height);
	const from = windowOf(table.rows.length, table.index, room);
	const seen = table.rows.slice(from, from + room);
	return [...head, ...seen.map((row, at) => rowLine(table, row, from + at, width))].slice(
		0,
		height,
	);
};
