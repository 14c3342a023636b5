import { safe } from "./text.ts";

/** A column: its heading and how a row's cell reads; numbers stand on the right. */
export type Column<T> = {
	readonly head: string;
	readonly cell: (row: T) => string | number | null;
};

const width = (text: string): number => [...text].length;
const padded = (text: string, to: number, right: boolean): string => {
	const gap = " ".repeat(Math.max(0, to - width(text)));
	return right ? gap + text : text + gap;
};

/** Rows as aligned text with a line of headings; no trailing blanks. */
export const table = <T>(rows: readonly T[], columns: readonly Column<T>[]): string => {
	const values = rows.map((row) => columns.map((column) => column.cell(row)));
	const cells = values.map((row) => row.map((value) => safe(String(value ?? "-"))));
	const lines = [columns.map((column) => column.head), ...cells];
	const widths = columns.map((_, i) => Math.max(...lines.map((line) => width(line[i] ?? ""))));
	const right = columns.map((_, i) => values.some((row) => typeof row[i] === "number"));
	return lines
		.map((line) =>
			line
				.map((cell, i) => padded(cell, widths[i] ?? 0, right[i] ?? false))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
};

/** One thing as lines of `name  value`; null values are left out. */
export const facts = (entries: readonly (readonly [string, string | number | null])[]): string => {
	const shown = entries.filter(([, value]) => value !== null && value !== "");
	const widest = Math.max(0, ...shown.map(([name]) => width(name)));
	return shown
		.map(([name, value]) => `${padded(name, widest, false)}  ${safe(String(value))}`)
		.join("\n");
};
