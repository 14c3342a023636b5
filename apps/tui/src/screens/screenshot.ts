// The screen that a backup showed when it was booted: half blocks, pixels where the terminal draws them, words where it has no colour.
import { short } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { type Line, span } from "../view/frame.ts";
import { cellsOf, halfBlocks } from "../view/picture.ts";
import { minute } from "../view/signs.ts";
import { wrap } from "../widgets/wrap.ts";
import { type Canvas, emptyWords, fact, type Screen, SENTENCES } from "./screen.ts";

const words =
	(text: string): Canvas =>
	(space) => ({
		lines: wrap(text, Math.max(1, space.width - 2))
			.slice(0, space.height)
			.map((line): Line => [span(` ${line}`, "dim")]),
		picture: null,
	});

/** Draws the screen of a backup; says why where it cannot. */
export const screenOf = (state: State, id: string): Canvas => {
	const validated = state.details[id]?.validated;
	if (state.details[id] === undefined) return words("reading…");
	if (validated?.screenshot !== true)
		return words("no screenshot was kept: V validates with the step screenshot");
	if (state.draws === "nothing") {
		const line = `knib backup screenshot ${short(id)} -o screen.png`;
		return words(`a screenshot was kept, but this terminal has no colours to draw it: ${line}`);
	}
	const known = state.picture?.backup === id ? state.picture.shown : null;
	if (known === null) return words("reading the screenshot…");
	if (typeof known === "string") return words(`the screenshot cannot be shown: ${known}`);
	return (space) => {
		const cells = cellsOf(known.pixels, { width: space.width - 1, height: space.height - 1 });
		const caption: Line = [span(` screen on ${minute(known.at)}`, "dim")];
		if (cells.width < 8 || cells.height < 3) return { lines: [], picture: null };
		if (state.draws === "blocks") {
			return { lines: [...halfBlocks(known.small, cells), caption], picture: null };
		}
		const blank = Array.from({ length: cells.height }, (): Line => [span(" ")]);
		const { pixels, png } = known;
		return { lines: [...blank, caption], picture: { top: 0, left: 0, ...cells, pixels, png } };
	};
};

/** The screen alone, as large as it fits. */
export const screen: Screen = {
	title: () => "Screen",
	target: ({ id }) => (id === null ? null : { kind: "backup", id }),
	body: (state, { id }) => {
		const found = state.details[id ?? ""];
		const line =
			found === undefined
				? fact("backup", emptyWords(state, "backups", short(id)))
				: fact("screen of", `${found.vm.name} ${short(found.id)}, ${found.validationStatus}`);
		return {
			head: [line],
			columns: SENTENCES,
			rows: [],
			empty: "",
			sortable: false,
			canvas: screenOf(state, id ?? ""),
		};
	},
};
