// What lies over a screen, as lines.

import type { Act } from "../app/acts.ts";
import { paletteOf, wordOf } from "../app/modal.ts";
import type { FormField, Modal, State } from "../app/state.ts";
import { KEYMAP, keysText } from "../keymap/keymap.ts";
import { targetsIn } from "../screens/rows.ts";
import { cut, steady, widthOf } from "../view/cells.ts";
import { type Line, span } from "../view/frame.ts";
import { windowOf } from "./table.ts";
import { wrap } from "./wrap.ts";

type Of<K extends Modal["kind"]> = Extract<Modal, { kind: K }>;

/** What counts here comes first. */
const helpLines = (state: State): readonly Line[] => {
	const here = targetsIn(state).map(({ kind }) => kind);
	const contexts = [...new Set([...here, ...KEYMAP.map((one) => one.context)])].filter((context) =>
		KEYMAP.some((one) => one.context === context),
	);
	return contexts.flatMap((context): readonly Line[] => [
		[span(context === "global" ? " everywhere" : ` on a ${context}`, "bold")],
		...KEYMAP.filter((one) => one.context === context).map(
			(one): Line => [span(`   ${keysText(one).join(" ").padEnd(12)}`, "accent"), span(one.help)],
		),
	]);
};

const paletteLines = (state: State, modal: Of<"palette">, height: number): readonly Line[] => {
	const offered = paletteOf(state, modal.text);
	const from = windowOf(offered.length, modal.index, height - 2);
	const rows = offered.slice(from, from + height - 2).map(({ binding, reason }, at): Line => {
		const reverse = from + at === modal.index ? { reverse: true } : {};
		const words = reason === null ? binding.help : `not now: ${reason}`;
		return [
			{
				text: `  ${binding.label.padEnd(14)} ${words}`,
				tone: reason === null ? "plain" : "dim",
				...reverse,
			},
		];
	});
	return [[span(" :", "accent"), span(`${modal.text}▏`, "bold")], [span("")], ...rows];
};

/** The end of a text, where one writes. */
const endOf = (text: string, width: number): string => {
	const [clean, kept] = [steady(text), [] as string[]];
	if (widthOf(clean) <= width) return clean;
	let left = width - 1;
	for (const character of [...clean].reverse()) {
		left -= widthOf(character);
		if (left < 0) break;
		kept.push(character);
	}
	return `…${kept.reverse().join("")}`;
};

const fieldText = (field: FormField, here: boolean, width: number): string => {
	const { kind, value, options = [] } = field;
	if (kind === "flag") return value === "" ? "[ ]" : "[x]";
	if (kind === "text") return here ? `${endOf(value, width - 1)}▏` : value;
	return options.map((one) => (one === value ? `(${one})` : ` ${one} `)).join(" ");
};

/** Columns before a field's value. */
const LABELS = 22;

const shownValue = (field: FormField, here: boolean, width: number): string =>
	fieldText(field, here, Math.max(2, width - LABELS));

/** What a field means is said beside it, or at the foot where there is no room for it. */
const helpFits = (field: FormField, width: number): boolean =>
	LABELS + widthOf(`${shownValue(field, true, width)}   ${field.help ?? ""}`) <= width;

const fieldLine = (field: FormField, here: boolean, width: number): Line => [
	span(here ? " > " : "   ", "accent"),
	span(field.label.padEnd(LABELS - 3), here ? "bold" : "dim"),
	span(shownValue(field, here, width)),
	span(here && helpFits(field, width) ? `   ${field.help ?? ""}` : "", "dim"),
];

const footOf = (modal: Of<"form">, width: number): readonly Line[] => {
	const field = modal.fields[modal.index];
	if (field?.help === undefined || helpFits(field, width)) return [];
	return wrap(field.help, width - 2).map((line): Line => [span(` ${line}`, "dim")]);
};

/** Title and what is wrong are always seen; the fields around the one that is filled in; notes where there is room. */
const formLines = (modal: Of<"form">, width: number, height: number): readonly Line[] => {
	const title: Line = [span(` ${modal.title}`, "bold")];
	const wrong =
		modal.error === null
			? []
			: wrap(`✗ ${modal.error}`, width - 2)
					.slice(0, Math.max(1, Math.floor(height / 3)))
					.map((line): Line => [span(` ${line}`, "bad")]);
	const fields = modal.fields.map((field, at) => fieldLine(field, at === modal.index, width));
	const notes = modal.notes.flatMap((note) =>
		wrap(note, width - 2).map((line): Line => [span(` ${line}`, "dim")]),
	);
	const help = footOf(modal, width);
	const room = height - 1 - wrong.length;
	if (notes.length + fields.length + 2 + help.length <= room)
		return [title, ...notes, [span("")], ...fields, [span("")], ...help, ...wrong];
	const spare = Math.max(0, room - fields.length);
	const foot = help.slice(0, Math.max(spare, room > 4 ? 1 : 0));
	const left = Math.max(1, room - foot.length);
	const from = windowOf(fields.length, modal.index, left);
	const above = notes.slice(0, Math.max(0, spare - foot.length));
	return [title, ...above, ...fields.slice(from, from + left), ...foot, ...wrong];
};

const actLines = (
	act: Act,
	plan: Of<"confirm">["plans"],
	at: number,
	width: number,
): readonly Line[] => {
	const made = plan?.[at];
	const said = (words: string, tone: "plain" | "warn" | "dim" = "plain"): readonly Line[] =>
		wrap(words, width - 4).map((line): Line => [span(`   ${line}`, tone)]);
	return [
		[span(` ${act.title}`, "bold")],
		...act.consequences.flatMap((one) => said(one, "warn")),
		...(plan === null ? said("asking the daemon what would happen…", "dim") : []),
		...(act.undo === null ? [] : said(`undo: ${act.undo}`, "dim")),
		...(made == null
			? []
			: [
					...said(made.reason),
					...made.explain.flatMap((one) => said(one, "dim")),
					...made.warnings.flatMap((one) => said(`warning: ${one}`, "warn")),
					...made.steps.flatMap((one, n) => said(`${n + 1}. ${one.text}`)),
				]),
		[span("   $ ", "dim"), span(act.cli, "accent")],
	];
};

const confirmLines = (modal: Of<"confirm">, width: number, height: number): readonly Line[] => {
	const word = wordOf(modal);
	const all = modal.acts.flatMap((act, at) => actLines(act, modal.plans, at, width));
	const room = Math.max(1, height - 2);
	const from = Math.max(0, Math.min(modal.offset, all.length - room));
	const more = all.length > room ? `   ↓ ${all.length - room - from} more lines` : "";
	const esc = modal.form === null ? "esc: leave" : "esc: back to the form";
	const ask: Line =
		word === null
			? [span(` enter: do it   ${esc}${more}`, "bold")]
			: [
					span(` type ${word} and press enter: `, "bad"),
					span(`${modal.typed}▏`, "bold"),
					span(`  ${esc}${more}`, "dim"),
				];
	return [...all.slice(from, from + room), [span("")], ask];
};

const toldLines = ({ told }: Of<"told">, width: number): readonly Line[] => [
	[span(` ${told.title}`, "bold")],
	[span("")],
	...told.lines.flatMap((line) =>
		wrap(line, width - 4).map(
			(part): Line => [span(`   ${part}`, line === told.copies ? "accent" : "plain")],
		),
	),
];

/** What lies over the screen; null where the screen itself is shown. */
export const modalLines = (state: State, width: number, height: number): readonly Line[] | null => {
	const { modal } = state;
	if (modal === null || modal.kind === "filter") return null;
	if (modal.kind === "palette") return paletteLines(state, modal, height);
	if (modal.kind === "form")
		return formLines(modal, width, height).map((line) =>
			line.map((one) => ({ ...one, text: cut(one.text, width) })),
		);
	if (modal.kind === "confirm") return confirmLines(modal, width, height);
	if (modal.kind === "told") return toldLines(modal, width);
	const help = helpLines(state);
	const from = Math.max(0, Math.min(modal.offset, help.length - height));
	return help.slice(from, from + height);
};
