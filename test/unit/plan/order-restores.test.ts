import { isRefusal, orderRestores, type RestoreItem } from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { anyPlan, item } from "../../support/builders/restore-items.ts";

const namesOf = (items: readonly RestoreItem[]): readonly string[] => {
	const ordered = orderRestores(items);
	if (isRefusal(ordered)) throw new Error(ordered.message);
	return ordered.map(({ name }) => name);
};

const messageOf = (items: readonly RestoreItem[]): string => {
	const ordered = orderRestores(items);
	return isRefusal(ordered) ? `${ordered.code} ${ordered.message}` : "";
};

test("orderRestores › the lowest priority goes first, else the order of the file", (t) => {
	const items = [item("a"), item("b", [], 5), item("c"), item("d", [], 1)];
	t.deepEqual(namesOf(items), ["d", "b", "a", "c"]);
});

test("orderRestores › what something urgent waits for is as urgent", (t) => {
	const items = [item("idle", [], 50), item("store", [], 90), item("shop", ["store"], 1)];
	t.deepEqual(namesOf(items), ["store", "shop", "idle"]);
});

test("orderRestores › names what is there twice, what is not there, and every name of a cycle", (t) => {
	t.is(messageOf([item("a"), item("a")]), "USAGE more than one entry is named a");
	t.is(
		messageOf([item("a", ["z"]), item("b", ["y"])]),
		"USAGE a is after z; b is after y: no entry has that name",
	);
	t.is(messageOf([item("a", ["a"])]), "USAGE entries wait for each other: a after a");
	t.is(
		messageOf([item("in", ["a"]), item("a", ["b"]), item("b", ["c"]), item("c", ["a"]), item("x")]),
		"USAGE entries wait for each other: a after b after c after a",
	);
});

test("orderRestores › every entry comes once, and after all that it depends on", (t) => {
	fc.assert(
		fc.property(anyPlan, (items) => {
			const names = namesOf(items);
			const complete =
				names.toSorted().join() ===
				items
					.map(({ name }) => name)
					.sort()
					.join();
			return (
				complete &&
				items.every(({ name, after }) =>
					after.every((one) => names.indexOf(one) < names.indexOf(name)),
				)
			);
		}),
	);
	t.pass();
});

test("orderRestores › an entry on a cycle is refused wherever else the cycle hangs", (t) => {
	fc.assert(
		fc.property(anyPlan, fc.nat(), (items, at) => {
			const loop = [item("loop-1", ["loop-2"]), item("loop-2", ["loop-1"])];
			const mixed = items.toSpliced(at % (items.length + 1), 0, ...loop);
			return messageOf(mixed).includes("loop-1 after loop-2 after loop-1");
		}),
	);
	t.pass();
});
