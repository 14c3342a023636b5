// What the mouse does: the wheel moves, a click selects, a click on what is selected opens. Pure.
import { shownIn } from "../screens/rows.ts";
import { rowAt } from "../view/layout.ts";
import type { Msg } from "./msg.ts";
import { enter, moveBy, type Step, withPlace } from "./navigate.ts";
import type { State } from "./state.ts";

const WHEEL = 3;

/** An event of the mouse. What lies over the screen takes none. */
export const onMouse = (state: State, { act, y }: Extract<Msg, { type: "mouse" }>): Step => {
	if (state.modal !== null) return [state, []];
	if (act !== "press") return [moveBy(state, act === "down" ? WHEEL : -WHEEL), []];
	const shown = shownIn(state);
	const index = rowAt(state, shown, y);
	const row = index === null ? undefined : shown.rows[index];
	if (row === undefined || row.heading === true) return [state, []];
	if (index === shown.index && row.open !== null) return enter(state, row.open);
	return [withPlace(state, { selected: row.id }), []];
};
