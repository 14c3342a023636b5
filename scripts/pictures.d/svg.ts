// Cells with the codes of a terminal, as SVG.

const CELL = { width: 8, height: 17 } as const;
const PAD = 10;
const GROUND = "#16181d";
const INK = "#d5d8de";
const BASIC = [
	...["#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d5d8de"],
	...["#7f848e", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#ffffff"],
];

type Pen = {
	readonly ink: string | null;
	readonly ground: string | null;
	readonly bold: boolean;
	readonly reverse: boolean;
};
type Cell = Pen & { readonly text: string };
const PLAIN: Pen = { ink: null, ground: null, bold: false, reverse: false };

const hex = (parts: readonly number[]): string =>
	`#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

const cube = (n: number): string => {
	if (n < 16) return BASIC[n] ?? INK;
	if (n >= 232) return hex([0, 0, 0].map(() => 8 + (n - 232) * 10));
	const step = (at: number): number => [0, 95, 135, 175, 215, 255][at % 6] ?? 0;
	return hex([step(Math.floor((n - 16) / 36)), step(Math.floor((n - 16) / 6)), step(n - 16)]);
};

/** The pen after one code; extended colours take the numbers that follow. */
const after = (pen: Pen, codes: number[]): Pen => {
	const code = codes.shift() ?? 0;
	const colour = (): string => {
		const kind = codes.shift();
		return kind === 2 ? hex(codes.splice(0, 3)) : cube(codes.shift() ?? 0);
	};
	if (code === 0) return PLAIN;
	if (code === 1) return { ...pen, bold: true };
	if (code === 7) return { ...pen, reverse: true };
	if (code === 27) return { ...pen, reverse: false };
	if (code === 38) return { ...pen, ink: colour() };
	if (code === 48) return { ...pen, ground: colour() };
	if (code === 39) return { ...pen, ink: null };
	if (code === 49) return { ...pen, ground: null };
	if (code >= 30 && code < 38) return { ...pen, ink: BASIC[code - 30] ?? INK };
	return code >= 90 && code < 98 ? { ...pen, ink: BASIC[code - 82] ?? INK } : pen;
};

const cellsOf = (
	line: string,
	begin: Pen,
): { readonly cells: readonly Cell[]; readonly pen: Pen } => {
	const cells: Cell[] = [];
	let pen = begin;
	for (const part of line.split("\u001b")) {
		const codes = /^\[([\d;]*)m/.exec(part);
		if (codes !== null) {
			const numbers = (codes[1] ?? "").split(";").map(Number);
			while (numbers.length > 0) pen = after(pen, numbers);
		}
		for (const text of part.slice(codes?.[0].length ?? 0)) cells.push({ ...pen, text });
	}
	return { cells, pen };
};

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escaped = (text: string): string => text.replace(/[&<>]/g, (one) => ESCAPES[one] ?? one);

const rect = (x: number, y: number, width: number, height: number, fill: string): string =>
	`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;

/** Runs of cells that look the same by `key`: where they begin, and how many they are. */
const runs = (cells: readonly Cell[], key: (cell: Cell) => string) => {
	const found: { at: number; length: number; cell: Cell }[] = [];
	cells.forEach((cell, at) => {
		const last = found.at(-1);
		if (last !== undefined && key(last.cell) === key(cell)) last.length += 1;
		else found.push({ at, length: 1, cell });
	});
	return found;
};

const inkOf = (cell: Cell): string => (cell.reverse ? (cell.ground ?? GROUND) : (cell.ink ?? INK));
const groundOf = (cell: Cell): string =>
	cell.reverse ? (cell.ink ?? INK) : (cell.ground ?? GROUND);

const lineSvg = (cells: readonly Cell[], row: number): string => {
	const top = PAD + row * CELL.height;
	const x = (at: number): number => PAD + at * CELL.width;
	const grounds = runs(cells, groundOf)
		.filter(({ cell }) => groundOf(cell) !== GROUND)
		.map(({ at, length, cell }) =>
			rect(x(at), top, length * CELL.width, CELL.height, groundOf(cell)),
		);
	const halves = runs(cells, (cell) => (cell.text === "▀" ? inkOf(cell) : ""))
		.filter(({ cell }) => cell.text === "▀")
		.map(({ at, length, cell }) =>
			rect(x(at), top, length * CELL.width, CELL.height / 2, inkOf(cell)),
		);
	const texts = runs(cells, (cell) => `${inkOf(cell)} ${cell.bold} ${cell.text === "▀"}`)
		.map(({ at, length, cell }) => ({
			at,
			cell,
			text: cells
				.slice(at, at + length)
				.map((one) => one.text)
				.join(""),
		}))
		.filter(({ cell, text }) => cell.text !== "▀" && text.trim() !== "")
		.map(({ at, cell, text }) => {
			const start = text.length - text.trimStart().length;
			const shown = text.trim();
			const bold = cell.bold ? ' font-weight="bold"' : "";
			return `<text x="${x(at + start)}" y="${top + 13}" fill="${inkOf(cell)}"${bold} textLength="${shown.length * CELL.width}" lengthAdjust="spacingAndGlyphs">${escaped(shown)}</text>`;
		});
	return [...grounds, ...halves, ...texts].join("");
};

/** A captured screen as SVG. */
export const svgOf = (
	title: string,
	screen: string,
	size: { readonly width: number; readonly height: number },
): string => {
	const [width, height] = [size.width * CELL.width + 2 * PAD, size.height * CELL.height + 2 * PAD];
	let pen = PLAIN;
	const lines = screen
		.split("\n")
		.slice(0, size.height)
		.map((line, row) => {
			const parsed = cellsOf(line, pen);
			({ pen } = parsed);
			return lineSvg(parsed.cells, row);
		});
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13" xml:space="preserve"><title>${escaped(title)}</title>${rect(0, 0, width, height, GROUND)}\n${lines.join("\n")}\n</svg>\n`;
};
