import {
	beginRestores,
	isOver,
	isRefusal,
	markRestore,
	orderRestores,
	type RestoreItem,
	type RestoreRun,
	readyRestores,
	stopRestores,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { anyPlan, item } from "../../support/builders/restore-items.ts";

const begin = (items: readonly RestoreItem[], parallel: number): RestoreRun => {
	const ordered = orderRestores(items);
	if (isRefusal(ordered)) throw new Error(ordered.message);
	return beginRestores(ordered, parallel);
};

const stateOf = (run: RestoreRun, name: string) => run.states.get(name)?.state;

type Fates = { readonly failing: ReadonlySet<string>; readonly turns: readonly number[] };

/** Carries a plan out; `turns` say which of those that run ends next. Every step is shown to `look` before it is made. */
const carryOut = (
	begun: RestoreRun,
	{ failing, turns }: Fates,
	look: (run: RestoreRun, starts: string | null) => void,
): RestoreRun => {
	let run = begun;
	const running: string[] = [];
	for (let turn = 0; !isOver(run); turn += 1) {
		for (const name of readyRestores(run)) {
			look(run, name);
			run = markRestore(run, name, { state: "running" });
			running.push(name);
		}
		look(run, null);
		const [name] = running.splice((turns[turn] ?? 0) % running.length, 1);
		if (name === undefined) throw new Error("nothing runs and the plan is not over");
		run = markRestore(
			run,
			name,
			failing.has(name) ? { state: "failed", reason: "as drawn" } : { state: "done" },
		);
	}
	return run;
};

const anyRun = fc.record({
	items: anyPlan,
	parallel: fc.integer({ min: 1, max: 4 }),
	failing: fc.array(fc.nat({ max: 12 })).map((picks) => new Set(picks.map((n) => `e${n}`))),
	turns: fc.array(fc.nat(), { maxLength: 20 }),
});

test("restore run › nothing starts before all it depends on has succeeded, and no more run than may", (t) => {
	fc.assert(
		fc.property(anyRun, ({ items, parallel, ...fates }) => {
			carryOut(begin(items, parallel), fates, (run, starts) => {
				const after = items.find(({ name }) => name === starts)?.after ?? [];
				if (after.some((one) => stateOf(run, one) !== "done")) throw new Error("too early");
				const busy = [...run.states.values()].filter(({ state }) => state === "running").length;
				if (busy > parallel) throw new Error(`${busy} run`);
			});
		}),
	);
	t.pass();
});

test("restore run › every entry ends as done, failed, or skipped because of what it comes after", (t) => {
	fc.assert(
		fc.property(anyRun, ({ items, parallel, ...fates }) => {
			const run = carryOut(begin(items, parallel), fates, () => undefined);
			return items.every(({ name, after }) => {
				const state = run.states.get(name);
				const lost = after.find((one) => stateOf(run, one) !== "done");
				if (lost === undefined)
					return state?.state === (fates.failing.has(name) ? "failed" : "done");
				return (
					state?.state === "skipped" && after.some((one) => state.reason.includes(` ${one}, `))
				);
			});
		}),
	);
	t.pass();
});

test("restore run › of two that may start, the first of the order does", (t) => {
	const run = begin([item("late"), item("soon", [], 1), item("next", ["soon"], 2)], 1);
	const order: string[] = [];
	carryOut(run, { failing: new Set(), turns: [] }, (_, name) => {
		if (name !== null) order.push(name);
	});
	t.deepEqual(order, ["soon", "next", "late"]);
});

test("restore run › a failure skips what comes after it, with the reason, and the rest goes on", (t) => {
	const items = [item("db"), item("app", ["db"]), item("shop", ["app"]), item("mail")];
	const run = carryOut(begin(items, 2), { failing: new Set(["db"]), turns: [] }, () => undefined);
	t.deepEqual(
		[...run.states],
		[
			["db", { state: "failed", reason: "as drawn" }],
			["app", { state: "skipped", reason: "it comes after db, which failed" }],
			["shop", { state: "skipped", reason: "it comes after app, which was skipped" }],
			["mail", { state: "done" }],
		],
	);
});

test("restore run › after a stop nothing starts, and what runs is waited for", (t) => {
	const begun = begin([item("a"), item("b")], 1);
	const stopped = stopRestores(markRestore(begun, "a", { state: "running" }), "interrupted");
	t.deepEqual(readyRestores(stopped), []);
	t.false(isOver(stopped));
	t.deepEqual(stopped.states.get("b"), { state: "skipped", reason: "interrupted" });
	t.true(isOver(markRestore(stopped, "a", { state: "done" })));
});
