import { steady, widthOf } from "../view/cells.ts";

/** A word in pieces of at most this width. */
const pieces = (word: string, width: number): readonly string[] => {
	const all: string[] = [];
	let piece = "";
	for (const character of word) {
		if (piece !== "" && widthOf(piece + character) > width) {
			all.push(piece);
			piece = "";
		}
		piece += character;
	}
	return [...all, piece];
};

const wrapLine = (text: string, width: number): readonly string[] => {
	const lines: string[] = [];
	let line = "";
	for (const word of steady(text).split(" ")) {
		const next = line === "" ? word : `${line} ${word}`;
		if (widthOf(next) <= width) {
			line = next;
			continue;
		}
		if (line !== "") lines.push(line);
		const parts = pieces(word, Math.max(1, width));
		lines.push(...parts.slice(0, -1));
		line = parts.at(-1) ?? "";
	}
	return line === "" ? lines : [...lines, line];
};

/** A text as lines of at most this width, broken where it has line breaks, and at blanks where there are any. */
export const wrap = (text: string, width: number): readonly string[] =>
	text.split(/\r?\n/).flatMap((line) => wrapLine(line, width));
