import test from "ava";
import { startLoop } from "../../../apps/tui/src/app/loop.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { aJobView, aState } from "../../tui/support/states.ts";

/** A loop whose waits are told instead of waited for. */
const aLoop = () => {
	let paints = 0;
	const waits: number[] = [];
	const loop = startLoop(aState(), {
		update,
		view: () => ({ lines: [], picture: null }),
		paint: () => {
			paints++;
		},
		run: () => undefined,
		later: (_, ms) => {
			waits.push(ms);
			return () => undefined;
		},
	});
	return { dispatch: loop.dispatch, waits, paints: () => paints };
};

test("loop › paints a key at once", (t) => {
	const { dispatch, waits, paints } = aLoop();
	dispatch({ type: "key", key: { name: "2", text: "2" } });
	t.is(paints(), 2);
	t.deepEqual(waits, []);
});

test("loop › gathers what jobs report, and paints an answer before that", (t) => {
	const { dispatch, waits } = aLoop();
	const job = aJobView();
	dispatch({ type: "job-event", event: { type: "job", job } });
	dispatch({ type: "job-event", event: { type: "job", job } });
	t.deepEqual(waits, [50]);
	dispatch({ type: "data", data: { jobs: [job] } });
	dispatch({ type: "data", data: { vms: [] } });
	t.deepEqual(waits, [50, 5]);
});
