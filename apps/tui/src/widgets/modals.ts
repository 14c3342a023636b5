// What lies over a screen, as lines.

import type { Act } from "../app/acts.ts";
import { paletteOf, wordOf } from "../app/modal.ts";
import type { FormField, Modal, State } from "../app/state.ts";
import { KEYMAP, keysText } from "../keymap/keymap.ts";
import { cut } from "../view/cells.ts";
import { type Line, span } from "../view/frame.ts";
import { windowOf } from "./table.ts";
import { wrap } from "./wrap.ts";

type Of<K extends Modal["kind"]> = Extract<Modal, { kind: K }>;

const helpLines = (): readonly Line[] => {
	const contexts = [...new Set(KEYMAP.map((one) => one.context))];
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

const fieldText = ({ kind, value, options = [] }: FormField, here: boolean): string => {
	if (kind === "flag") return value === "" ? "[ ]" : "[x]";
	if (kind === "text") return `${value}${here ? "▏" : ""}`;
	return options.map((one) => (one === value ? `(${one})` : ` ${one} `)).join(" ");
};

const formLines = (modal: Of<"form">): readonly Line[] => [
	[span(` ${modal.title}`, "bold")],
	...modal.notes.map((note): Line => [span(` ${note}`, "dim")]),
	[span("")],
	...modal.fields.map((field, at): Line => {
		const here = at === modal.index;
		return [
			span(here ? " > " : "   ", "accent"),
			span(field.label.padEnd(19), here ? "bold" : "dim"),
			span(fieldText(field, here)),
			span(here && field.help !== undefined ? `   ${field.help}` : "", "dim"),
		];
	}),
	[span("")],
	...(modal.error === null ? [] : [[span(` ✗ ${modal.error}`, "bad")]]),
];

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
	const ask: Line =
		word === null
			? [span(` enter: do it   esc: leave${more}`, "bold")]
			: [
					span(` type ${word} and press enter: `, "bad"),
					span(`${modal.typed}▏`, "bold"),
					span(`  esc: leave${more}`, "dim"),
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
		return formLines(modal).map((line) =>
			line.map((one) => ({ ...one, text: cut(one.text, width) })),
		);
	if (modal.kind === "confirm") return confirmLines(modal, width, height);
	if (modal.kind === "told") return toldLines(modal, width);
	const help = helpLines();
	const from = Math.max(0, Math.min(modal.offset, help.length - height));
	return help.slice(from, from + height);
};
