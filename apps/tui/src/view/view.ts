// view(state) → frame: title, the screen or what lies over it, what was said, keys. Pure.
import { duration } from "@knib/core/text";
import { placeIn, type State } from "../app/state.ts";
import { SCREENS } from "../screens/index.ts";
import { type Shown, shownIn } from "../screens/rows.ts";
import { knowsNothing } from "../screens/screen.ts";
import { footerLine } from "../widgets/footer.ts";
import { modalLines } from "../widgets/modals.ts";
import { tableLines } from "../widgets/table.ts";
import { wrap } from "../widgets/wrap.ts";
import { cut, fitLine, widthOf } from "./cells.ts";
import { type Frame, type Line, type Placed, type Span, span } from "./frame.ts";
import { ABOVE, layoutOf } from "./layout.ts";

const linkSpan = (state: State): Span => {
	const { link, now } = state;
	if (link.state === "connected") return span("● connected", "good");
	if (link.state === "connecting") return span("○ connecting", "dim");
	const age = duration(now - link.since);
	return span(`✗ no daemon for ${age}${knowsNothing(state) ? "" : ": data is old"}`, "bad");
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

const toastLines = (state: State): readonly Line[] => {
	const { toast } = state;
	if (toast === null) return [];
	return wrap(toast.text, state.size.width - 2)
		.slice(0, 3)
		.map((line): Line => [span(` ${line}`, toast.tone)]);
};

type Drawn = { readonly lines: readonly Line[]; readonly picture: Placed | null };

const moved = (picture: Placed | null, top: number, left: number): Placed | null =>
	picture === null ? null : { ...picture, top: picture.top + top, left: picture.left + left };

const emptyOf = ({ body, rows }: Shown): string =>
	body.rows.length > 0 && rows.length === 0 ? "no row has this text; esc shows all" : body.empty;

const screenOf = (state: State, shown: Shown, said: number): Drawn => {
	const { body, rows, index } = shown;
	const { sort, marks } = placeIn(state);
	const { room, width, aside, head, table } = layoutOf(state, shown, said);
	if (body.canvas !== undefined) {
		const below = body.canvas({ width, height: table });
		return {
			lines: [...head, ...below.lines],
			picture: moved(below.picture, ABOVE + head.length, 0),
		};
	}
	const shape = {
		columns: body.columns,
		rows,
		index,
		sort: body.sortable ? sort : null,
		marks,
		empty: emptyOf(shown),
	};
	const lines = [...head, ...tableLines(shape, width, table)];
	if (aside === 0 || body.aside === undefined) return { lines, picture: null };
	const beside = body.aside({ width: aside - 2, height: room });
	const whole = Array.from({ length: Math.max(lines.length, beside.lines.length) }, (_, at) => [
		...fitLine(lines[at] ?? [], width),
		span("│ ", "dim"),
		...(beside.lines[at] ?? []),
	]);
	return { lines: whole, picture: moved(beside.picture, ABOVE, width + 2) };
};

/** What the terminal shows: exactly its height of lines, each exactly its width. */
export const view = (state: State): Frame => {
	const { width, height } = state.size;
	const shown = shownIn(state);
	const said = toastLines(state);
	const room = Math.max(0, height - 3 - said.length);
	const over = modalLines(state, width, room);
	const { lines, picture } =
		over === null ? screenOf(state, shown, said.length) : { lines: over, picture: null };
	const blank = Array.from({ length: Math.max(0, room - lines.length) }, (): Line => []);
	const all = [
		titleLine(state),
		ruleLine(state),
		...lines.slice(0, room),
		...blank,
		...said,
		footerLine(state, shown),
	];
	return { lines: all.slice(0, height).map((line) => fitLine(line, width)), picture };
};
