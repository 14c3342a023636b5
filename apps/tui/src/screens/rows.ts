// The rows as the operator sees them: filtered and sorted, with the one that is selected.
import {
	type Data,
	type Place,
	placeIn,
	type ScreenName,
	type State,
	type Target,
} from "../app/state.ts";
import { SCREENS } from "./index.ts";
import { type Body, type Cell, longFact, type Row } from "./screen.ts";

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

const indexOf = ({ follows }: Body, rows: readonly Row[], place: Place): number => {
	const found = rows.findIndex((row) => row.id === place.selected);
	if (found >= 0) return found;
	const free = (row: Row): boolean => row.heading !== true;
	return follows === true ? rows.findLastIndex(free) : rows.findIndex(free);
};

/** What bodies do not look at: a key that only moves the selection leaves the body as it is. */
const UNSEEN: ReadonlySet<keyof State> = new Set<keyof State>(["stack", "modal", "toast"]);
/** Screens whose body depends on what is selected. */
const BY_SELECTION: ReadonlySet<ScreenName> = new Set<ScreenName>(["files"]);

const fieldsOf = (state: State): readonly (keyof State)[] =>
	// every field of a state is one of State
	Object.keys(state) as (keyof State)[];

const looksAlike = (a: State, b: State): boolean =>
	fieldsOf(a).every((field) => UNSEEN.has(field) || Object.is(a[field], b[field]));

type Remembered = {
	readonly state: State;
	readonly filter: string;
	readonly shown: Shown;
};

/** The last answer. Building ten thousand rows takes a tenth of a second, and each key asks three times. */
let remembered: Remembered | null = null;

/** What a screen shows besides the list of its own name. */
const LIST_OF: Readonly<Partial<Record<ScreenName, keyof Data>>> = {
	...{ vm: "vms", chain: "chains", backup: "backups", job: "jobs", doctor: "checks" },
};

const isList = (state: State, name: string): name is keyof Data => Object.hasOwn(state.data, name);

/** Rows that are there still, though their list cannot be read any more, do not pass for rows of now. */
const withProblem = (state: State, screen: ScreenName, body: Body): Body => {
	const list = LIST_OF[screen] ?? screen;
	const problem = state.problems[list];
	if (problem === undefined || !isList(state, list) || state.data[list] === null) return body;
	const said = longFact("old", `cannot be read now: ${problem}`, state.size.width, "bad");
	return { ...body, head: [...said, ...body.head] };
};

const bodyIn = (state: State, { route }: Place): Body => {
	const before = remembered?.state;
	if (remembered !== null && before !== undefined && !BY_SELECTION.has(route.screen)) {
		const { screen, id } = placeIn(before).route;
		if (screen === route.screen && id === route.id && looksAlike(before, state))
			return remembered.shown.body;
	}
	const body = SCREENS[route.screen].body(state, route, state.size.width);
	return withProblem(state, route.screen, body);
};

const rowsIn = (body: Body, place: Place, filter: string): readonly Row[] => {
	if (remembered !== null && remembered.shown.body === body && remembered.filter === filter) {
		if (placeIn(remembered.state).sort === place.sort) return remembered.shown.rows;
	}
	return sorted(body, filtered(body.rows, filter), place.sort);
};

/** Body, visible rows and selection of the current place. */
export const shownIn = (state: State): Shown => {
	if (remembered?.state === state) return remembered.shown;
	const place = placeIn(state);
	const body = bodyIn(state, place);
	const filter = state.modal?.kind === "filter" ? state.modal.text : place.filter;
	const rows = rowsIn(body, place, filter);
	const shown = { body, rows, index: indexOf(body, rows, place) };
	remembered = { state, filter, shown };
	return shown;
};

/** What keys act on, nearest first: the selected row's target, then the screen's. */
export const targetsIn = (state: State, shown: Shown = shownIn(state)): readonly Target[] => {
	const { rows, index } = shown;
	const { route } = placeIn(state);
	return [rows[index]?.target ?? null, SCREENS[route.screen].target(route)].filter(
		(one) => one !== null,
	);
};
