// Text that fits cells of a terminal. Names come from guests and peers: what a terminal might take for a command, or draw wider or
// narrower than counted, is replaced before it gets anywhere near the screen.
import { safe } from "@knib/core/text";
import type { Line, Span } from "./frame.ts";

// Combining marks, joiners, variation selectors, private use and all beyond the basic plane shift the rest of a row.
const UNSTEADY = /\p{M}|[\u200b-\u200d\u2060-\u2064\p{Co}\p{Cn}]|[\u{10000}-\u{10ffff}]/gu;
const WIDE =
	/[\u1100-\u115f\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

/** A text of steady width on one line. */
export const steady = (text: string): string => safe(text).replace(UNSTEADY, "?");

/** Cells that a steady text takes. */
export const widthOf = (text: string): number => {
	let width = 0;
	for (const character of text) width += WIDE.test(character) ? 2 : 1;
	return width;
};

/** A steady text cut to a width, with a sign where something was cut off. */
export const cut = (text: string, width: number): string => {
	const clean = steady(text.length > 4 * width + 16 ? text.slice(0, 4 * width + 16) : text);
	if (width <= 0) return "";
	if (widthOf(clean) <= width) return clean;
	let [kept, used] = ["", 0];
	for (const character of clean) {
		const next = used + widthOf(character);
		if (next > width - 1) break;
		kept += character;
		used = next;
	}
	return `${kept}…`;
};

/** A text of exactly this width. */
export const fit = (text: string, width: number, right = false): string => {
	const shown = cut(text, width);
	const gap = " ".repeat(Math.max(0, width - widthOf(shown)));
	return right ? gap + shown : shown + gap;
};

/** A line of exactly this width. */
export const fitLine = (line: Line, width: number): Line => {
	const spans: Span[] = [];
	let left = width;
	for (const one of line) {
		const text = cut(one.text, left);
		if (text === "") continue;
		spans.push({ ...one, text });
		left -= widthOf(text);
	}
	const last = spans.at(-1);
	const reverse = last?.reverse === true ? { reverse: true } : {};
	if (left > 0) spans.push({ text: " ".repeat(left), tone: last?.tone ?? "plain", ...reverse });
	return spans;
};
