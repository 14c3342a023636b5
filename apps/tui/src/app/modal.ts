// Keys while something lies over the screen: filter, palette, help, form, consent. Pure.

import { FORMS } from "../forms/index.ts";
import { type Bound, boundIn, disabledReason } from "../keymap/resolve.ts";
import { steady } from "../view/cells.ts";
import type { Act } from "./acts.ts";
import { askFor } from "./ask.ts";
import { runBound } from "./dispatch.ts";
import type { Key } from "./msg.ts";
import { moveBy, type Step, toast, withPlace } from "./navigate.ts";
import type { FormField, Modal, State } from "./state.ts";

type Of<K extends Modal["kind"]> = Extract<Modal, { kind: K }>;

const edited = (text: string, key: Key): string => {
	if (key.name === "backspace") return [...text].slice(0, -1).join("");
	if (key.name === "C-u") return "";
	return key.text === null ? text : text + key.text;
};
const closed = (state: State): State => ({ ...state, modal: null });

const filterKey = (state: State, modal: Of<"filter">, key: Key): Step => {
	if (key.name === "escape") return [withPlace(closed(state), { filter: "" }), []];
	if (key.name === "enter") return [withPlace(closed(state), { filter: modal.text }), []];
	if (key.name === "down" || key.name === "up")
		return [moveBy(state, key.name === "down" ? 1 : -1), []];
	return [{ ...state, modal: { kind: "filter", text: edited(modal.text, key) } }, []];
};

/** How well a binding answers to a text, the best first: its name, its beginning, a part of it, its help; null for not at all. */
const rankOf = ({ label, help }: Bound["binding"], text: string): number | null => {
	if (label === text) return 0;
	if (label.startsWith(text)) return 1;
	if (label.includes(text)) return 2;
	return help.toLowerCase().includes(text) ? 3 : null;
};

/** Bindings that the palette offers for a text, each with the reason why it cannot be run, if any. What is called so comes before what only speaks of it. */
export const paletteOf = (
	state: State,
	text: string,
): readonly (Bound & { reason: string | null })[] =>
	boundIn(state)
		.flatMap((bound) => {
			const rank = rankOf(bound.binding, text.trim().toLowerCase());
			return rank === null ? [] : [{ ...bound, rank }];
		})
		.sort((a, b) => a.rank - b.rank)
		.map((bound) => ({ ...bound, reason: disabledReason(state, bound) }));

const paletteKey = (state: State, modal: Of<"palette">, key: Key): Step => {
	if (key.name === "escape") return [closed(state), []];
	const offered = paletteOf(state, modal.text);
	const last = Math.max(0, offered.length - 1);
	if (key.name === "down")
		return [{ ...state, modal: { ...modal, index: Math.min(last, modal.index + 1) } }, []];
	if (key.name === "up")
		return [{ ...state, modal: { ...modal, index: Math.max(0, modal.index - 1) } }, []];
	if (key.name !== "enter")
		return [{ ...state, modal: { ...modal, text: edited(modal.text, key), index: 0 } }, []];
	const chosen = offered[modal.index];
	return chosen === undefined ? [closed(state), []] : runBound(closed(state), chosen);
};

const scrolled = (offset: number, key: Key): number =>
	key.name === "down" || key.name === "j"
		? offset + 1
		: key.name === "up" || key.name === "k"
			? Math.max(0, offset - 1)
			: key.name === "pagedown" || key.name === "space"
				? offset + 10
				: key.name === "pageup"
					? Math.max(0, offset - 10)
					: offset;

const withField = (modal: Of<"form">, change: (field: FormField) => string): Of<"form"> => ({
	...modal,
	error: null,
	fields: modal.fields.map((field, at) =>
		at === modal.index ? { ...field, value: change(field) } : field,
	),
});

const fieldAfter = ({ kind, value, options = [] }: FormField, key: Key): string => {
	if (kind === "text") return edited(value, key);
	const steps = key.name === "left" ? -1 : key.name === "space" || key.name === "right" ? 1 : 0;
	if (kind === "flag") return steps === 0 ? value : value === "" ? "yes" : "";
	const { length } = options;
	return options[(options.indexOf(value) + steps + length) % Math.max(1, length)] ?? value;
};

/** What a form means for its target and for what is marked with it, or what is wrong. */
const actsOf = (state: State, modal: Of<"form">): readonly Act[] | string => {
	const kind = FORMS[modal.purpose];
	if (modal.others.length === 0) {
		const act = kind.act(state, modal);
		return typeof act === "string" ? act : [act];
	}
	const acts = [modal.target, ...modal.others].map((target) => {
		const opened = kind.open(state, target);
		if (opened === null) return "one of them is not there any more";
		return kind.act(state, { ...modal, target, title: opened.title });
	});
	const wrong = acts.find((act) => typeof act === "string");
	return wrong ?? acts.filter((act) => typeof act !== "string");
};

const formKey = (state: State, modal: Of<"form">, key: Key): Step => {
	if (key.name === "escape") return [closed(state), []];
	const count = modal.fields.length;
	const at = (index: number): Step => [
		{ ...state, modal: { ...modal, index: (index + count) % count } },
		[],
	];
	if (key.name === "down" || key.name === "tab") return at(modal.index + 1);
	if (key.name === "up" || key.name === "S-tab") return at(modal.index - 1);
	if (key.name === "enter") {
		const acts = actsOf(state, modal);
		return typeof acts === "string"
			? [{ ...state, modal: { ...modal, error: acts } }, []]
			: askFor(state, acts, modal);
	}
	return [{ ...state, modal: withField(modal, (field) => fieldAfter(field, key)) }, []];
};

const TYPED_MOST = 32;

/** A word that can be typed as it is shown: of a name that is long or strange, its first plain part. */
const typeable = (word: string): string => {
	const plain = steady(word) === word && [...word].length <= TYPED_MOST && word.trim() === word;
	return plain ? word : (/[\w.-]+/.exec(word)?.[0].slice(0, TYPED_MOST) ?? "yes");
};

/** The word that must be typed before acts are done; null where enter is enough. */
export const wordOf = ({ acts }: Of<"confirm">): string | null => {
	const [first] = acts;
	if (first === undefined || acts.every((act) => act.word === null)) return null;
	return acts.length === 1 ? typeable(first.word ?? "yes") : `${acts.length} acts`;
};

/** Back to the form that it came from, or to the screen. */
const leftConsent = (state: State, { form }: Of<"confirm">): State =>
	form === null ? toast(closed(state), "nothing was done", "plain") : { ...state, modal: form };

const confirmKey = (state: State, modal: Of<"confirm">, key: Key): Step => {
	if (key.name === "escape") return [leftConsent(state, modal), []];
	const word = wordOf(modal);
	if (key.name === "C-y" || (key.name === "y" && word === null)) {
		const text = modal.acts.map((act) => act.cli).join("\n");
		return [toast(state, `copied: ${text}`, "good"), [{ type: "copy", text }]];
	}
	if (key.name === "enter") {
		if (modal.plans === null || (word !== null && modal.typed !== word)) return [state, []];
		const asked = modal.form === null ? null : { acts: modal.acts, form: modal.form };
		return [
			toast(withPlace(closed({ ...state, asked }), { marks: [] }), "asking the daemon…", "plain"),
			[{ type: "act", acts: modal.acts }],
		];
	}
	const scrolls = word === null || key.text === null;
	const offset = scrolls ? scrolled(modal.offset, key) : modal.offset;
	return [
		{ ...state, modal: { ...modal, offset, typed: word === null ? "" : edited(modal.typed, key) } },
		[],
	];
};

const toldKey = (state: State, { told }: Of<"told">, key: Key): Step => {
	if (key.name === "y")
		return [toast(state, "copied", "good"), [{ type: "copy", text: told.copies }]];
	const leaves = key.name === "escape" || key.name === "q";
	return [leaves ? closed(state) : state, []];
};

/** A key while something lies over the screen. */
export const modalKey = (state: State, modal: Modal, key: Key): Step => {
	if (key.name === "C-c") return [closed(state), []];
	switch (modal.kind) {
		case "filter":
			return filterKey(state, modal, key);
		case "palette":
			return paletteKey(state, modal, key);
		case "form":
			return formKey(state, modal, key);
		case "confirm":
			return confirmKey(state, modal, key);
		case "told":
			return toldKey(state, modal, key);
		case "help": {
			const leaves =
				key.name === "escape" || key.name === "q" || key.name === "?" || key.name === "enter";
			return [
				leaves
					? closed(state)
					: { ...state, modal: { kind: "help", offset: scrolled(modal.offset, key) } },
				[],
			];
		}
	}
};
