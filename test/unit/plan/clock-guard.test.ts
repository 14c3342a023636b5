import {
	afterFailure,
	type ClockFacts,
	clockBelievable,
	clockDoubt,
	EMPTY_LEDGER,
	KnibError,
	lookAtTrash,
	notNow,
	type TrashLook,
	viewError,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const BASE = 1_700_000_000_000;

const clock = (override: Partial<ClockFacts> = {}): ClockFacts => ({
	now: { wallMs: BASE + HOUR, monotonicMs: HOUR },
	anchor: { wallMs: BASE, monotonicMs: 0 },
	lastWallMs: BASE,
	newestManifestMs: BASE,
	synchronized: null,
	...override,
});

test("clockBelievable › believes a clock that went as the monotonic one", (t) => {
	t.true(clockBelievable(clock()));
	t.true(clockBelievable(clock({ anchor: null, lastWallMs: null, newestManifestMs: null })));
});

test("clockBelievable › doubts a clock that was moved by a year, either way", (t) => {
	const moved = (ms: number) => clock({ now: { wallMs: BASE + ms, monotonicMs: HOUR } });
	t.regex(clockDoubt(moved(YEAR)) ?? "", /moved forward by \d+ min/);
	t.regex(clockDoubt(moved(-YEAR)) ?? "", /moved back by \d+ min/);
	t.is(clockDoubt(moved(HOUR + 4 * 60_000)), null);
});

test("clockBelievable › doubts a clock behind the newest backup, behind its last look, or not synchronised", (t) => {
	t.regex(
		clockDoubt(clock({ newestManifestMs: BASE + 3 * HOUR })) ?? "",
		/behind the newest backup/,
	);
	t.regex(clockDoubt(clock({ lastWallMs: BASE + 3 * HOUR })) ?? "", /behind what it was/);
	t.is(clockDoubt(clock({ synchronized: false })), "the clock is not synchronised");
});

const look = (override: Partial<TrashLook> = {}): TrashLook => ({
	now: { wallMs: BASE, monotonicMs: 0 },
	anchor: null,
	lastMonotonicMs: null,
	newestManifestMs: null,
	synchronized: null,
	graceMs: 24 * HOUR,
	entries: ["r/one"],
	unreadable: [],
	...override,
});

test("lookAtTrash › lets an entry go when its grace has been seen to pass, and not before", (t) => {
	let { ledger, purge } = lookAtTrash(EMPTY_LEDGER, look());
	for (let hour = 1; hour <= 24; hour++) {
		t.deepEqual(purge, []);
		({ ledger, purge } = lookAtTrash(
			ledger,
			look({
				now: { wallMs: BASE + hour * HOUR, monotonicMs: hour * HOUR },
				anchor: { wallMs: BASE, monotonicMs: 0 },
				lastMonotonicMs: (hour - 1) * HOUR,
			}),
		));
	}
	t.deepEqual(purge, ["r/one"]);
});

test("lookAtTrash › deletes nothing when the clock jumps a year, and says why", (t) => {
	const { ledger } = lookAtTrash(EMPTY_LEDGER, look());
	const jumped = lookAtTrash(
		ledger,
		look({
			now: { wallMs: BASE + YEAR, monotonicMs: 60_000 },
			anchor: { wallMs: BASE, monotonicMs: 0 },
			lastMonotonicMs: 0,
		}),
	);
	t.deepEqual(jumped.purge, []);
	t.regex(jumped.doubt ?? "", /moved forward/);
	const restarted = lookAtTrash(
		jumped.ledger,
		look({ now: { wallMs: BASE + YEAR, monotonicMs: 0 } }),
	);
	t.deepEqual(restarted.purge, [], "a restart after the jump adds no time either");
});

test("lookAtTrash › keeps what it knows of a repository that does not answer", (t) => {
	const before = { lastWallMs: BASE, seenMs: { "r/one": 5, "s/two": 7 } };
	const { ledger } = lookAtTrash(before, look({ entries: [], unreadable: ["s"] }));
	t.deepEqual(ledger.seenMs, { "s/two": 7 });
});

test("lookAtTrash › never lets an entry go whose seen time is less than the grace", (t) => {
	const step = fc.record({
		mono: fc.integer({ min: 0, max: 40 * HOUR }),
		jump: fc.integer({ min: -YEAR, max: YEAR }),
	});
	fc.assert(
		fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
			let ledger = EMPTY_LEDGER;
			let wall = BASE;
			let mono = 0;
			let seen = 0;
			let last: number | null = null;
			for (const one of steps) {
				wall += one.mono + one.jump;
				mono += one.mono;
				seen += last === null ? 0 : one.mono;
				const verdict = lookAtTrash(
					ledger,
					look({
						now: { wallMs: wall, monotonicMs: mono },
						anchor: { wallMs: BASE, monotonicMs: 0 },
						lastMonotonicMs: last,
					}),
				);
				if (verdict.purge.length > 0) t.true(seen >= 24 * HOUR);
				({ ledger } = verdict);
				last = mono;
			}
		}),
	);
	t.pass();
});

const failed = (error: KnibError, attempts: number) =>
	afterFailure({ error: viewError(error), attempts, maxAttempts: 2, intervalMs: HOUR });

test("afterFailure › tries again after the interval until the attempts are used up", (t) => {
	const full = new KnibError("REPOSITORY_NO_SPACE", "full");
	const first = failed(full, 1);
	t.true(first.again && first.afterMs === HOUR && !first.free);
	t.false(failed(full, 2).again);
});

test("afterFailure › does not count a wait for others, nor a stop of the daemon", (t) => {
	for (const error of [notNow("held"), new KnibError("INTERRUPTED", "stopped")]) {
		const again = failed(error, 9);
		t.true(again.again && again.free);
	}
});

test("afterFailure › gives up at once where another attempt cannot help", (t) => {
	t.false(failed(new KnibError("VERIFY_FAILED", "rot"), 1).again);
	t.false(failed(new KnibError("CANCELLED", "asked"), 1).again);
});
