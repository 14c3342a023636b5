import test from "ava";
import { createLanes } from "../../../apps/host-daemon/src/jobs/lanes.ts";

const NEVER = new AbortController().signal;

const gate = () => {
	let open = (): void => undefined;
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { open: () => open(), opened };
};

const world = () => {
	const lanes = createLanes();
	const told: string[] = [];
	const ran: string[] = [];
	const enter = (job: string, until: Promise<void>, signal = NEVER): Promise<void> =>
		lanes.run(
			"vm",
			{ job, what: `work of ${job}` },
			{ signal, onWait: (reason) => told.push(`${job} ${reason}`) },
			async () => {
				ran.push(job);
				await until;
			},
		);
	return { lanes, told, ran, enter };
};

test("lanes › one after the other, each told whom it waits for", async (t) => {
	const { lanes, told, ran, enter } = world();
	const gates = [gate(), gate(), gate()] as const;
	const all = ["a", "b", "c"].map((job, index) =>
		enter(job, gates[index]?.opened ?? Promise.resolve()),
	);
	t.deepEqual(ran, ["a"], "the lane is taken at once");
	t.deepEqual(told, ["b waits for work of a (job a)", "c waits for work of b (job b)"]);
	for (const one of gates) one.open();
	await Promise.all(all);
	t.deepEqual(ran, ["a", "b", "c"]);
	t.is(lanes.holder("vm"), undefined);
});

test("lanes › a job that is cancelled while it waits never runs and holds up nobody", async (t) => {
	const { ran, enter } = world();
	const first = gate();
	const stop = new AbortController();
	const running = enter("a", first.opened);
	const waiting = t.throwsAsync(enter("b", Promise.resolve(), stop.signal), { message: "stop" });
	const last = enter("c", Promise.resolve());
	stop.abort(new Error("stop"));
	await waiting;
	first.open();
	await Promise.all([running, last]);
	t.deepEqual(ran, ["a", "c"]);
});

test("lanes › work that fails gives the lane on", async (t) => {
	const { lanes, enter } = world();
	const failing = enter("a", Promise.reject(new Error("no")));
	const next = enter("b", Promise.resolve());
	await t.throwsAsync(failing, { message: "no" });
	await t.notThrowsAsync(next);
	t.is(lanes.holder("vm"), undefined);
});
