import {
	type ProofLevel,
	planRetention,
	type RetentionPoint,
	type RetentionPolicy,
	type RetentionVerdict,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1, 12);

const point = (day: number, override: Partial<RetentionPoint> = {}): RetentionPoint => {
	const atMs = START + day * DAY;
	return {
		id: `backup-on-day-${String(day).padStart(4, "0")}`,
		parent: null,
		pointInTime: new Date(atMs).toISOString(),
		atMs,
		removed: false,
		pinned: false,
		proof: "copied",
		goesOn: false,
		judge: "offering:default",
		policy: null,
		why: "everything stays",
		...override,
	};
};

const idOf = (day: number): string => point(day).id;

/** The verdicts on points that were all taken under one policy. */
const judge = (
	points: readonly RetentionPoint[],
	policy: RetentionPolicy,
	nowMs: number,
): readonly RetentionVerdict[] =>
	planRetention(
		points.map((one) => ({ ...one, policy })),
		nowMs,
	);

const kept = (...args: Parameters<typeof judge>): readonly string[] =>
	judge(...args)
		.filter(({ keep }) => keep)
		.map(({ id }) => id);

const days = (count: number): readonly RetentionPoint[] =>
	Array.from({ length: count }, (_, day) => point(day));

test("planRetention › keeps the last ones, and says of the others that no rule does", (t) => {
	const verdicts = judge(days(4), { keepLast: 2 }, START + 4 * DAY);
	t.deepEqual(
		verdicts.map(({ id, keep }) => [id, keep]),
		[
			[idOf(3), true],
			[idOf(2), true],
			[idOf(1), false],
			[idOf(0), false],
		],
	);
	t.deepEqual(verdicts[1]?.reasons, ["last 2 of 2"]);
	t.deepEqual(verdicts[3]?.reasons, ["no rule keeps it"]);
});

test("planRetention › keeps the newest of each of the last weeks, months and years that have one", (t) => {
	// 2026-01-01 is a Thursday: its week ends on day 3, a Sunday.
	t.deepEqual(kept(days(14), { keepWeekly: 2 }, START), [idOf(13), idOf(10)]);
	t.deepEqual(kept(days(62), { keepMonthly: 3 }, START), [idOf(61), idOf(58), idOf(30)]);
	const years = [point(0), point(300), point(400), point(1200)];
	t.deepEqual(kept(years, { keepYearly: 2 }, START), [idOf(1200), idOf(400)]);
	const hours = [0, 1 / 24 / 2, 1 / 24].map((day) => point(day));
	t.is(kept(hours, { keepHourly: 9 }, START).length, 2);
	t.is(kept(hours, { keepDaily: 9 }, START).length, 1);
});

test("planRetention › unites its rules, and keeps what is young, pinned or goes on", (t) => {
	const points = [
		point(0, { pinned: true }),
		...[1, 2, 3].map((day) => point(day)),
		point(4, { goesOn: true }),
		point(5),
	];
	t.deepEqual(kept(points, { keepLast: 1, keepWithin: 3 * DAY }, START + 6 * DAY), [
		idOf(5),
		idOf(4),
		idOf(3),
		idOf(0),
	]);
});

test("planRetention › keeps the newest with the highest proof, whatever is newer", (t) => {
	const proofs: readonly (ProofLevel | null)[] = ["booted", "booted", "checked", "copied", null];
	const points = proofs.map((proof, day) => point(day, { proof }));
	const [, , , best] = judge(points, { keepLast: 1 }, START);
	t.deepEqual(best, {
		id: idOf(1),
		keep: true,
		reasons: ["the newest with the highest proof (booted)"],
	});
	t.deepEqual(kept(points, { keepLast: 1 }, START), [idOf(4), idOf(1)]);
});

test("planRetention › judges each by the rules that it was taken under, and keeps what has none", (t) => {
	const points = [
		point(0),
		...[1, 2, 3].map((day) => point(day, { policy: { keepLast: 1 } })),
		...[4, 5, 6].map((day) => point(day, { policy: { keepLast: 2 } })),
	];
	const stays = planRetention(points, START).filter(({ keep }) => keep);
	t.deepEqual(
		stays.map(({ id, reasons }) => [id, reasons[0]]),
		[
			[idOf(6), "last 1 of 2"],
			[idOf(5), "last 2 of 2"],
			[idOf(3), "last 1 of 1"],
			[idOf(0), "everything stays"],
		],
	);
});

test("planRetention › keeps what a kept one stands on, also across a removed one", (t) => {
	const points = [
		point(0),
		point(1, { parent: idOf(0), removed: true }),
		point(2, { parent: idOf(1) }),
		point(3, { parent: idOf(2) }),
		point(4),
	];
	const verdicts = judge(points, { keepLast: 2 }, START);
	t.deepEqual(
		verdicts.map(({ id, reasons }) => [id, reasons[0]]),
		[
			[idOf(4), "last 1 of 2"],
			[idOf(3), "last 2 of 2"],
			[idOf(2), "day-0003 stands on it"],
			[idOf(0), "day-0003 stands on it"],
		],
	);
});

const proofArbitrary = fc.constantFrom<ProofLevel | null>("copied", "checked", "booted", null);

const chains = fc
	.array(
		fc.record({
			stands: fc.boolean(),
			pinned: fc.boolean(),
			removed: fc.boolean(),
			proof: proofArbitrary,
		}),
		{ minLength: 1, maxLength: 40 },
	)
	.map((members) =>
		members.map(({ stands, ...rest }, day) =>
			point(day, { ...rest, parent: stands && day > 0 ? idOf(day - 1) : null }),
		),
	);

test("planRetention › whatever the rules, never breaks a kept one, drops a pinned one, or leaves nothing", (t) => {
	const rule = fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined });
	const policies = fc.record({
		keepLast: rule,
		keepDaily: rule,
		keepWeekly: rule,
		keepMonthly: rule,
	});
	fc.assert(
		fc.property(chains, policies, (points, rules) => {
			const policy = Object.fromEntries(
				Object.entries(rules).filter(([, value]) => value !== undefined),
			);
			const stays = new Set(kept(points, policy, START + 50 * DAY));
			const living = points.filter(({ removed }) => !removed);
			t.true(living.length === 0 || stays.size > 0);
			for (const one of living) if (one.pinned) t.true(stays.has(one.id));
			const byId = new Map(points.map((one) => [one.id, one]));
			for (const id of stays) {
				for (let at = byId.get(id)?.parent ?? null; at !== null; ) {
					const below = byId.get(at);
					t.true(below === undefined || below.removed || stays.has(at));
					at = below?.parent ?? null;
				}
			}
		}),
	);
});

test("planRetention › counts only what one judge has to say about, also where two have the same rules", (t) => {
	const points = days(6).map((one, n) => ({
		...one,
		judge: n % 2 === 0 ? "schedule:a" : "offering:b",
		policy: { keepLast: 2 },
	}));
	const keeps = planRetention(points, START)
		.filter(({ keep }) => keep)
		.map(({ id }) => id);
	t.deepEqual(keeps, [5, 4, 3, 2].map(idOf));
});

test("planRetention › what one judge has taken changes nothing for the points of another", (t) => {
	const some = fc.array(
		fc.record({
			day: fc.nat(400),
			judge: fc.constantFrom("schedule:a", "offering:b"),
		}),
		{ maxLength: 30 },
	);
	const rules = fc.record({ keepLast: fc.integer({ min: 1, max: 4 }), keepDaily: fc.constant(3) });
	fc.assert(
		fc.property(some, rules, rules, (taken, a, b) => {
			const points = [...new Map(taken.map((one) => [one.day, one])).values()].map(
				({ day, judge }) => point(day, { judge, policy: judge === "schedule:a" ? a : b }),
			);
			const keptOf = (given: readonly RetentionPoint[]): ReadonlySet<string> =>
				new Set(
					planRetention(given, START)
						.filter(({ keep }) => keep)
						.map(({ id }) => id),
				);
			const all = keptOf(points);
			for (const judge of ["schedule:a", "offering:b"]) {
				for (const id of keptOf(points.filter((one) => one.judge === judge))) {
					t.true(all.has(id), `${judge} wants ${id}`);
				}
			}
		}),
	);
});
