import {
	estimateRestore,
	isRefusal,
	orderRestores,
	type RestoreFigures,
	timeRestores,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { anyPlan, item } from "../../support/builders/restore-items.ts";

const figures = (override: Partial<RestoreFigures>): RestoreFigures => ({
	quick: false,
	start: false,
	bytes: 2048,
	boot: { ms: 9000, from: "its validation" },
	rate: { bytesPerSecond: 1024, from: "its last restore" },
	...override,
});

test("estimateRestore › a quick restore takes what the VM's validation promises", (t) => {
	t.deepEqual(estimateRestore(figures({ quick: true, bytes: null, rate: null })), {
		ms: 9000,
		leastMs: 9000,
		basis: "boots in 0:09, as its validation measured",
	});
});

test("estimateRestore › a whole one takes its bytes at the measured rate, and its boot where it is started", (t) => {
	const copy = "2.0 KiB at 1.0 KiB/s, the rate of its last restore";
	t.deepEqual(estimateRestore(figures({})), { ms: 2000, leastMs: 2000, basis: copy });
	t.is(estimateRestore(figures({ start: true })).ms, 11_000);
});

test("estimateRestore › what was never measured is unknown and says what is missing", (t) => {
	const of = (override: Partial<RestoreFigures>) => estimateRestore(figures(override));
	t.deepEqual(of({ quick: true, boot: null }), {
		ms: null,
		leastMs: 0,
		basis: "nothing has measured yet how fast it boots",
	});
	t.deepEqual(of({ rate: null }), {
		ms: null,
		leastMs: 0,
		basis: "2.0 KiB, and no rate was measured here yet",
	});
	t.is(of({ bytes: null }).ms, null);
	t.like(of({ start: true, boot: null }), { ms: null, leastMs: 2000 });
});

const taking = (all: Readonly<Record<string, number>>) =>
	new Map(Object.entries(all).map(([name, ms]) => [name, { ms, leastMs: ms }]));

test("timeRestores › adds up what waits for each other, and runs the rest beside it", (t) => {
	const items = [item("db"), item("mail"), item("app", ["db"])];
	const times = taking({ db: 10, mail: 25, app: 5 });
	t.deepEqual(timeRestores(items, 1, times).totalMs, 40);
	const two = timeRestores(items, 2, times);
	t.is(two.totalMs, 25);
	t.deepEqual(two.starts, [
		{ name: "db", startMs: 0, exact: true },
		{ name: "mail", startMs: 0, exact: true },
		{ name: "app", startMs: 10, exact: true },
	]);
});

test("timeRestores › after something of unknown length all times are the least", (t) => {
	const items = [item("db"), item("app", ["db"])];
	const times = new Map([
		["db", { ms: null, leastMs: 2 }],
		["app", { ms: 7, leastMs: 7 }],
	]);
	t.deepEqual(timeRestores(items, 1, times), {
		starts: [
			{ name: "db", startMs: 0, exact: true },
			{ name: "app", startMs: 2, exact: false },
		],
		totalMs: 9,
		exact: false,
	});
});

test("timeRestores › one at a time it takes the sum, more at a time no longer", (t) => {
	fc.assert(
		fc.property(anyPlan, fc.integer({ min: 1, max: 4 }), (items, parallel) => {
			const ordered = orderRestores(items);
			if (isRefusal(ordered)) return false;
			const times = taking(Object.fromEntries(items.map(({ name }, n) => [name, n * 3])));
			const sum = [...times.values()].reduce((all, { ms }) => all + ms, 0);
			const many = timeRestores(ordered, parallel, times);
			return (
				timeRestores(ordered, 1, times).totalMs === sum &&
				many.totalMs <= sum &&
				many.starts.length === items.length
			);
		}),
	);
	t.pass();
});
