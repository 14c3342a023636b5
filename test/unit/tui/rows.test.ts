import test from "ava";
import type { State } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { shownIn } from "../../../apps/tui/src/screens/rows.ts";
import { aState, placed, pressed } from "../../tui/support/states.ts";

/** A state that nothing has been remembered of. */
const again = (state: State): State => {
	shownIn(placed(aState(), "hosts"));
	return { ...state };
};

test("shownIn › builds no rows anew for a key that only moves the selection", (t) => {
	const state = placed(aState(), "backups");
	const before = shownIn(state);
	const moved = pressed(state, "j");
	const after = shownIn(moved);
	t.is(after.body, before.body);
	t.is(after.rows, before.rows);
	t.is(after.index, before.index + 1);
});

test("shownIn › shows the same with and without what it remembers", (t) => {
	let state = placed(aState(), "backups");
	for (const key of [
		"j",
		"s",
		"j",
		"s",
		"/",
		"k",
		"escape",
		"space",
		"G",
		"4",
		"enter",
		"escape",
		"3",
	]) {
		state = pressed(state, key);
		const shown = shownIn(state);
		const fresh = shownIn(again(state));
		t.deepEqual(shown.rows, fresh.rows, key);
		t.deepEqual([shown.index, shown.body.columns], [fresh.index, fresh.body.columns], key);
	}
});

test("shownIn › shows what has changed since", (t) => {
	const state = placed(aState(), "backups");
	t.true(shownIn(state).rows.length > 1);
	const less = {
		...state,
		data: { ...state.data, backups: state.data.backups?.slice(0, 1) ?? null },
	};
	t.is(shownIn(less).rows.length, 1);
	t.not(shownIn({ ...less, now: less.now + 60_000 }).body, shownIn(less).body);
});

test("shownIn › says of rows that their list cannot be read any more", (t) => {
	const [state] = update(placed(aState(), "chains"), {
		...{ type: "problem", list: "chains", message: "the store is busy" },
	});
	const { body, rows } = shownIn(state);
	t.is(rows.length, shownIn(placed(aState(), "chains")).rows.length);
	t.regex(
		body.head
			.flat()
			.map(({ text }) => text)
			.join(""),
		/cannot be read now: the store is busy/,
	);
});

test("shownIn › follows the log of a job until a line of it is selected, and again from its end", (t) => {
	const id = "0196f000-0000-7000-8000-0000000b0001";
	const line = { at: "2026-01-02T03:04:05.000Z", level: "info", text: "one more" } as const;
	const grown = (state: State): State =>
		update(state, { type: "job-event", event: { type: "log", job: id, line } })[0];
	const state = grown(grown(placed(aState(), "job", id)));
	t.is(shownIn(state).index, 2);
	t.is(shownIn(grown(state)).index, 3);
	const stayed = grown(pressed(state, "k"));
	t.is(shownIn(stayed).index, 1);
	t.is(shownIn(grown(pressed(stayed, "S-g"))).index, 4);
});
