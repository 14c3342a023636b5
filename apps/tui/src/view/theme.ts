// From tones to the codes of a terminal: the 16 colours, which follow the operator's own theme, or bold and reverse where there is
// no colour. Pictures take as many colours as the terminal has.
import { colourCode } from "./colours.ts";
import type { Line, Span, Tone } from "./frame.ts";

/** Colours that the terminal has: none, 16, 256, or all of them. */
export type Depth = "none" | "16" | "256" | "true";

/** How tones look. `light` is for bright grounds, `contrast` uses bright colours and bold, `mono` none at all. */
export const THEME_NAMES = ["dark", "light", "contrast", "mono"] as const;
export type ThemeName = (typeof THEME_NAMES)[number];

/** What the terminal can show, and how it is to look. */
export type Theme = { readonly name: ThemeName; readonly depth: Depth; readonly ascii: boolean };

type Codes = Readonly<Record<Tone, string>>;
const code = (numbers: string): string => (numbers === "" ? "" : `\u001b[${numbers}m`);
const codes = (numbers: Readonly<Record<Tone, string>>): Codes => ({
	plain: code(numbers.plain),
	dim: code(numbers.dim),
	bold: code(numbers.bold),
	good: code(numbers.good),
	warn: code(numbers.warn),
	bad: code(numbers.bad),
	accent: code(numbers.accent),
});

const LOOKS: Readonly<Record<ThemeName, Codes>> = {
	dark: codes({ plain: "", dim: "90", bold: "1", good: "32", warn: "33", bad: "31", accent: "36" }),
	light: codes({ plain: "", dim: "2", bold: "1", good: "32", warn: "35", bad: "31", accent: "34" }),
	contrast: codes({
		...{
			plain: "",
			dim: "",
			bold: "1;97",
			good: "1;92",
			warn: "1;93",
			bad: "1;91",
			accent: "1;96",
		},
	}),
	mono: codes({ plain: "", dim: "", bold: "1", good: "", warn: "1", bad: "1", accent: "4" }),
};

const ASCII: Readonly<Record<string, string>> = {
	...{ "✓": "+", "✗": "x", "▶": ">", "·": ".", "…": "~", "›": ">", "─": "-", "│": "|", "●": "*" },
	...{ "○": "o", "▾": "v", "├": "|", "└": "`", "█": "#", "░": ".", "▏": "_", "↓": "v", "▀": "#" },
	...{ "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "↑": "^", "→": ">" },
};

/** A text without what plain terminals cannot draw. */
export const asciiOf = (text: string): string =>
	// biome-ignore lint/suspicious/noControlCharactersInRegex: everything but ASCII is meant
	text.replace(/[^\u0000-\u007f]/gu, (sign) => ASCII[sign] ?? "?");

const codeOf = (one: Span, theme: Theme): string => {
	const look = LOOKS[theme.depth === "none" ? "mono" : theme.name];
	const ink = one.ink === undefined ? "" : colourCode(one.ink, "ink", theme.depth);
	const ground = one.ground === undefined ? "" : colourCode(one.ground, "ground", theme.depth);
	return `${look[one.tone]}${ink}${ground}${one.reverse === true ? "\u001b[7m" : ""}`;
};

/** A line with the codes of its tones. */
export const painted = (line: Line, theme: Theme): string => {
	let [out, before] = ["", ""];
	for (const one of line) {
		const text = theme.ascii ? asciiOf(one.text) : one.text;
		const code = codeOf(one, theme);
		if (code !== before) out += `${before === "" ? "" : "\u001b[0m"}${code}`;
		before = code;
		out += text;
	}
	return before === "" ? out : `${out}\u001b[0m`;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Colours that a terminal has, by what it says of itself. NO_COLOR is respected. */
export const depthOf = (env: Environment): Depth => {
	if ((env["NO_COLOR"] ?? "") !== "") return "none";
	const { TERM: term = "", COLORTERM: colour = "" } = env;
	if (/truecolor|24bit/i.test(colour) || /direct|kitty|ghostty|alacritty|foot|wezterm/.test(term))
		return "true";
	if (/256color/.test(term)) return "256";
	return /^(vt\d+|dumb)?$/.test(term) ? "none" : "16";
};

/** The theme for an environment. */
export const themeOf = (env: Environment, name: ThemeName): Theme => {
	const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
	return { name, depth: depthOf(env), ascii: !/utf-?8/i.test(locale) };
};
