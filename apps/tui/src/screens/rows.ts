// The rows as the operator sees them: filtered and sorted, with the one that is selected.
import { type Place, placeIn, type State, type Target } from "../app/state.ts";
import { SCREENS } from "./index.ts";
import type { Body, Cell, Row } from "./screen.ts";

const keyOf = (cell: Cell | undefined): number | string => cell?.key ?? cell?.text ?? "";

const compare = (a: number | string, b: number | string): number =>
	typeof a === "number" && typeof b === "number"
		? b - a
		: String(a) < String(b)
			? -1
			: String(a) > String(b)
				? 1
				: 0;

const matches = (row: Row, filter: string): boolean =>
	row.heading !== true &&
	row.cells
		.map((cell) => cell.text)
		.join(" ")
		.toLowerCase()
		.includes(filter.toLowerCase());

const filtered = (rows: readonly Row[], filter: string): readonly Row[] =>
	filter === "" ? rows : rows.filter((row) => matches(row, filter));

const sorted = (body: Body, rows: readonly Row[], sort: number | null): readonly Row[] =>
	sort === null || !body.sortable
		? rows
		: [...rows].sort((a, b) => compare(keyOf(a.cells[sort]), keyOf(b.cells[sort])));

/** What a place shows. `index` is of the selected row; -1 when no row can be selected. */
export type Shown = { readonly body: Body; readonly rows: readonly Row[]; readonly index: number };

const indexOf = (rows: readonly Row[], place: Place): number => {
	const found = rows.findIndex((row) => row.id === place.selected);
	return found >= 0 ? found : rows.findIndex((row) => row.heading !== true);
};

/** Body, visible rows and selection of the current place. */
export const shownIn = (state: State): Shown => {
	const place = placeIn(state);
	const body = SCREENS[place.route.screen].body(state, place.route, state.size.width);
	const filter = state.modal?.kind === "filter" ? state.modal.text : place.filter;
	const rows = sorted(body, filtered(body.rows, filter), place.sort);
	return { body, rows, index: indexOf(rows, place) };
};

/** What keys act on, nearest first: the selected row's target, then the screen's. */
export const targetsIn = (state: State, shown: Shown = shownIn(state)): readonly Target[] => {
	const { rows, index } = shown;
	const { route } = placeIn(state);
	return [rows[index]?.target ?? null, SCREENS[route.screen].target(route)].filter(
		(one) => one !== null,
	);
};
