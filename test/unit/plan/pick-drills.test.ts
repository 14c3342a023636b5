import { type DrillCandidate, pickDrills } from "@knib/core";
import test from "ava";

const NOW = Date.parse("2026-03-01T00:00:00.000Z");
const candidate = (vm: string, override: Partial<DrillCandidate> = {}): DrillCandidate => ({
	vm,
	backup: `backup of ${vm}`,
	provenAt: "2026-02-27T00:00:00.000Z",
	maxAgeDays: 0,
	busy: false,
	...override,
});
const picked = (all: readonly DrillCandidate[], budget: number): readonly string[] =>
	pickDrills(all, budget, NOW, Date.parse).map(({ vm }) => vm);

test("pickDrills › takes the oldest proof first, within the budget", (t) => {
	const all = [
		candidate("a"),
		candidate("b", { provenAt: "2026-01-01T00:00:00.000Z" }),
		candidate("c", { provenAt: null }),
	];
	t.deepEqual(picked(all, 2), ["c", "b"]);
	t.deepEqual(picked(all, 0), []);
	t.deepEqual(picked(all, 9), ["c", "b", "a"]);
});

test("pickDrills › puts VMs whose proof is older than allowed before all others", (t) => {
	const all = [
		candidate("old", { provenAt: "2026-01-01T00:00:00.000Z" }),
		candidate("overdue", { provenAt: "2026-02-20T00:00:00.000Z", maxAgeDays: 7 }),
	];
	t.deepEqual(picked(all, 2), ["overdue", "old"]);
});

test("pickDrills › passes over VMs without a backup and those that are validated now", (t) => {
	t.deepEqual(picked([candidate("a", { backup: null }), candidate("b", { busy: true })], 5), []);
});

test("pickDrills › says why, and never depends on the order given", (t) => {
	const all = [candidate("b"), candidate("a"), candidate("c", { provenAt: null })];
	t.deepEqual(picked(all, 3), picked([...all].reverse(), 3));
	t.is(pickDrills(all, 1, NOW, Date.parse)[0]?.reason, "no boot of it was ever proven");
});
