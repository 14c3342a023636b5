import { delayOf, dueRun, matchesName, type ScheduleClock } from "@knib/core";
import test from "ava";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Every day at hour 2. */
const nextAfter = (ms: number): number => {
	const today = Math.floor(ms / DAY) * DAY + 2 * HOUR;
	return today > ms ? today : today + DAY;
};
const due = (override: Partial<ScheduleClock>) =>
	dueRun({ nowMs: 10 * DAY, lastMs: undefined, changedMs: 0, delayMs: 0, nextAfter, ...override });

test("dueRun › is due at its time and not before, once", (t) => {
	const changedMs = 9 * DAY + 3 * HOUR;
	t.is(due({ changedMs, nowMs: 10 * DAY + 2 * HOUR - 1 }), undefined);
	t.is(due({ changedMs, nowMs: 10 * DAY + 2 * HOUR }), 10 * DAY + 2 * HOUR);
	const lastMs = 10 * DAY + 2 * HOUR + 5;
	t.is(due({ changedMs, lastMs, nowMs: 10 * DAY + 20 * HOUR }), undefined);
});

test("dueRun › catches up what was missed, from the last one on", (t) => {
	const lastMs = 3 * DAY + 2 * HOUR;
	t.is(due({ lastMs, nowMs: 9 * DAY }), 4 * DAY + 2 * HOUR);
	t.is(due({ lastMs: 9 * DAY, nowMs: 9 * DAY + HOUR }), undefined, "all of them are one");
});

test("dueRun › does not catch up what lies before its last change", (t) => {
	t.is(due({ lastMs: DAY, changedMs: 9 * DAY + 3 * HOUR, nowMs: 9 * DAY + 4 * HOUR }), undefined);
});

test("dueRun › waits for this host's delay, and goes on when the clock was set back", (t) => {
	const times = { changedMs: 9 * DAY + 3 * HOUR, delayMs: HOUR };
	t.is(due({ ...times, nowMs: 10 * DAY + 2 * HOUR }), undefined);
	t.is(due({ ...times, nowMs: 10 * DAY + 3 * HOUR }), 10 * DAY + 2 * HOUR);
	const lastMs = 40 * DAY;
	t.is(due({ lastMs, nowMs: 10 * DAY }), undefined);
	const asked: number[] = [];
	due({
		lastMs,
		nowMs: 10 * DAY,
		nextAfter: (ms) => {
			asked.push(ms);
			return null;
		},
	});
	t.deepEqual(asked, [10 * DAY], "the next run is that after now, not after the time kept");
	t.is(due({ nextAfter: () => null }), undefined);
});

test("delayOf › is within the jitter, the same for a host, and differs between hosts", (t) => {
	const schedule = { id: "0196f000-0000-7000-8000-00000000cafe", jitterMs: 600_000 };
	const delays = ["a", "b", "c", "d"].map((host) => delayOf(schedule, host));
	t.true(delays.every((ms) => ms >= 0 && ms <= 600_000));
	t.true(new Set(delays).size > 1);
	t.true(delayOf(schedule, "a") === delays[0]);
	t.is(delayOf({ ...schedule, jitterMs: 0 }, "a"), 0);
});

test("matchesName › takes * and ? for text and everything else for itself", (t) => {
	for (const [pattern, name, fits] of [
		["web*", "web01", true],
		["web?", "web01", false],
		["*", "anything\nat all", true],
		["web.1", "webx1", false],
		["(a|b)", "a", false],
		["Web*", "web01", false],
	] as const) {
		t.is(matchesName(pattern, name), fits, `${pattern} on ${name}`);
	}
});
