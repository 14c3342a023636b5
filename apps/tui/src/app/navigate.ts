// Moving about: rows, screens, marks, sorting. Pure.
import { shownIn } from "../screens/rows.ts";
import type { Effect } from "./msg.ts";
import {
	type ListName,
	type Place,
	placeIn,
	placeOf,
	type Route,
	type ScreenName,
	type State,
} from "./state.ts";

/** A new state and what is to be done outside. */
export type Step = readonly [State, readonly Effect[]];

/** The current place changed. */
export const withPlace = (state: State, change: Partial<Place>): State => ({
	...state,
	stack: [...state.stack.slice(0, -1), { ...placeIn(state), ...change }],
});

/** Lists that are read only while their screen is looked at. */
const LOOKED_AT: Readonly<Partial<Record<ScreenName, ListName>>> = {
	peers: "peers",
	events: "events",
	schedules: "schedules",
	selectors: "selectors",
	retention: "retention",
};

/** What a screen needs to be read when it comes up. */
export const needs = ({ screen, id }: Route): readonly Effect[] => {
	const list = LOOKED_AT[screen];
	if (list !== undefined) return [{ type: "list", list }];
	if (screen === "doctor") return [{ type: "doctor" }];
	if (id === null) return [];
	if (screen === "job") return [{ type: "log", job: id }];
	if (screen === "chain") return [{ type: "blocked", chain: id }];
	if (screen === "files") return [{ type: "files", id }];
	return screen === "backup" || screen === "screen" ? [{ type: "detail", id }] : [];
};

/** Opens a route above the current one. */
export const enter = (state: State, route: Route): Step => [
	{ ...state, stack: [...state.stack, placeOf(route)] },
	needs(route),
];

/** Goes to a screen of its own: only the dashboard is below it. */
export const goTo = (state: State, route: Route): Step => {
	const home = state.stack[0] ?? placeOf({ screen: "dashboard", id: null });
	if (route.screen === "dashboard") return [{ ...state, stack: [home] }, []];
	return [{ ...state, stack: [home, placeOf(route)] }, needs(route)];
};

/** Takes marks away, then the filter, then the screen. */
export const back = (state: State): State => {
	const place = placeIn(state);
	if (place.marks.length > 0) return withPlace(state, { marks: [] });
	if (place.filter !== "") return withPlace(state, { filter: "" });
	return state.stack.length > 1 ? { ...state, stack: state.stack.slice(0, -1) } : state;
};

/** Selects the row this many rows further, leaving headings out. */
export const moveBy = (state: State, by: number): State => {
	const { body, rows, index } = shownIn(state);
	const free = rows.flatMap((row, at) => (row.heading === true ? [] : [at]));
	const at = Math.max(0, free.indexOf(index));
	const next = free[Math.min(free.length - 1, Math.max(0, at + by))];
	const row = next === undefined ? undefined : rows[next];
	if (row === undefined) return state;
	// At the end of what grows one follows it.
	const follows = body.follows === true && next === free.at(-1);
	return withPlace(state, { selected: follows ? null : row.id });
};

/** Sorts by the next column, and after the last as the screen orders. */
export const sortNext = (state: State): State => {
	const { body } = shownIn(state);
	if (!body.sortable) return state;
	const { sort } = placeIn(state);
	const next = sort === null ? 0 : sort + 1;
	return withPlace(state, { sort: next < body.columns.length ? next : null });
};

/** Marks or unmarks the selected row and goes on to the next. */
export const mark = (state: State): State => {
	const { rows, index } = shownIn(state);
	const row = rows[index];
	if (row?.target == null) return state;
	const { marks } = placeIn(state);
	const next = marks.includes(row.id) ? marks.filter((id) => id !== row.id) : [...marks, row.id];
	return moveBy(withPlace(state, { marks: next }), 1);
};

/** A word at the bottom for some seconds. */
export const toast = (
	state: State,
	text: string,
	tone: "good" | "bad" | "warn" | "plain",
): State => ({
	...state,
	toast: { text, tone, until: state.now + 8000 },
});
