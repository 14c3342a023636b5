import { cut, steady, widthOf } from "../view/cells.ts";

/** A text as lines of at most this width, broken at blanks where there are any. */
export const wrap = (text: string, width: number): readonly string[] => {
	const lines: string[] = [];
	let line = "";
	for (const word of steady(text).split(" ")) {
		const next = line === "" ? word : `${line} ${word}`;
		if (widthOf(next) <= width) line = next;
		else {
			if (line !== "") lines.push(line);
			line = cut(word, width);
		}
	}
	return line === "" ? lines : [...lines, line];
};
