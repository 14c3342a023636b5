// view(state) → frame: title, the screen or what lies over it, what was said, keys. Pure.
import { duration } from "@knib/core/text";
import { placeIn, type State } from "../app/state.ts";
import { keyName } from "../keymap/keymap.ts";
import { boundIn, disabledReason } from "../keymap/resolve.ts";
import { SCREENS } from "../screens/index.ts";
import { type Shown, shownIn } from "../screens/rows.ts";
import { modalLines } from "../widgets/modals.ts";
import { tableLines } from "../widgets/table.ts";
import { wrap } from "../widgets/wrap.ts";
import { cut, fitLine, widthOf } from "./cells.ts";
import { type Frame, type Line, type Span, span } from "./frame.ts";

const linkSpan = ({ link, now }: State): Span => {
	if (link.state === "connected") return span("● connected", "good");
	if (link.state === "connecting") return span("○ connecting", "dim");
	const age = duration(now - link.since);
	return span(`✗ no daemon for ${age}: data is old`, "bad");
};

const titleLine = (state: State): Line => {
	const { width } = state.size;
	const crumbs = state.stack
		.map(({ route }) => cut(SCREENS[route.screen].title(state, route), 30))
		.join(" › ");
	const right = [...(state.readOnly ? [span("read-only ", "warn")] : []), linkSpan(state)];
	const room = width - right.reduce((sum, one) => sum + widthOf(one.text), 0) - 8;
	const left = [span(" knib ", "accent"), span(cut(crumbs, room), "bold")];
	const gap = room - widthOf(left[1]?.text ?? "") + 1;
	return [...left, span(" ".repeat(Math.max(1, gap))), ...right];
};

const ruleLine = (state: State): Line => {
	const { width } = state.size;
	const { filter } = placeIn(state);
	const typed = state.modal?.kind === "filter" ? `${state.modal.text}▏` : filter;
	if (typed === "") return [span("─".repeat(width), "dim")];
	return [
		span(" /", "accent"),
		span(`${typed} `, "bold"),
		span("─".repeat(Math.max(0, width - widthOf(typed) - 3)), "dim"),
	];
};

const footerLine = (state: State, shown: Shown): Line =>
	boundIn(state, shown)
		.filter(({ binding }) => binding.footer)
		.flatMap((bound): readonly Span[] => {
			const off = disabledReason(state, bound) !== null;
			const [key = ""] = bound.binding.keys;
			return [
				span(` ${keyName(key)}`, off ? "dim" : "accent"),
				span(` ${bound.binding.label}`, off ? "dim" : "plain"),
			];
		});

const toastLines = (state: State): readonly Line[] => {
	const { toast } = state;
	if (toast === null) return [];
	return wrap(toast.text, state.size.width - 2)
		.slice(0, 3)
		.map((line): Line => [span(` ${line}`, toast.tone)]);
};

const screenLines = (state: State, shown: Shown, height: number): readonly Line[] => {
	const { width } = state.size;
	const { body, rows, index } = shown;
	const { sort, marks } = placeIn(state);
	const head = body.head.slice(0, Math.max(0, Math.floor(height / 2)));
	const empty =
		body.rows.length > 0 && rows.length === 0 ? "no row has this text; esc shows all" : body.empty;
	const table = {
		columns: body.columns,
		rows,
		index,
		sort: body.sortable ? sort : null,
		marks,
		empty,
	};
	return [...head, ...tableLines(table, width, height - head.length)];
};

/** What the terminal shows: exactly its height of lines, each exactly its width. */
export const view = (state: State): Frame => {
	const { width, height } = state.size;
	const shown = shownIn(state);
	const said = toastLines(state);
	const room = Math.max(0, height - 3 - said.length);
	const middle = modalLines(state, width, room) ?? screenLines(state, shown, room);
	const blank = Array.from({ length: Math.max(0, room - middle.length) }, (): Line => []);
	const all = [
		titleLine(state),
		ruleLine(state),
		...middle.slice(0, room),
		...blank,
		...said,
		footerLine(state, shown),
	];
	return { lines: all.slice(0, height).map((line) => fitLine(line, width)) };
};
