// From tones to the codes of a terminal: the 16 colours, which follow the operator's own theme, or bold and dim where NO_COLOR is set.
import type { Line, Tone } from "./frame.ts";

/** What the terminal can show. */
export type Theme = { readonly colour: boolean; readonly ascii: boolean };

const COLOURS: Readonly<Record<Tone, string>> = {
	plain: "",
	dim: "\u001b[90m",
	bold: "\u001b[1m",
	good: "\u001b[32m",
	warn: "\u001b[33m",
	bad: "\u001b[31m",
	accent: "\u001b[36m",
};
const PLAIN: Readonly<Record<Tone, string>> = {
	plain: "",
	dim: "",
	bold: "\u001b[1m",
	good: "",
	warn: "\u001b[1m",
	bad: "\u001b[1m",
	accent: "",
};

const ASCII: Readonly<Record<string, string>> = {
	"✓": "+",
	"✗": "x",
	"▶": ">",
	"·": ".",
	"…": "~",
	"›": ">",
	"─": "-",
	"●": "*",
	"○": "o",
	"▾": "v",
	"├": "|",
	"└": "`",
	"█": "#",
	"░": ".",
	"▏": "_",
	"↓": "v",
	"▁": "_",
	"▂": "_",
	"▃": "-",
	"▄": "-",
	"▅": "=",
	"▆": "=",
	"▇": "#",
};

/** A text without what plain terminals cannot draw. */
export const asciiOf = (text: string): string =>
	// biome-ignore lint/suspicious/noControlCharactersInRegex: everything but ASCII is meant
	text.replace(/[^\u0000-\u007f]/gu, (sign) => ASCII[sign] ?? "?");

/** A line with the codes of its tones. */
export const painted = (line: Line, theme: Theme): string =>
	line
		.map((one) => {
			const text = theme.ascii ? asciiOf(one.text) : one.text;
			const code = `${(theme.colour ? COLOURS : PLAIN)[one.tone]}${one.reverse === true ? "\u001b[7m" : ""}`;
			return code === "" ? text : `${code}${text}\u001b[0m`;
		})
		.join("");
