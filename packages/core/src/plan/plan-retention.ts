// Which restore points retention keeps, and why (SPEC 3.5). Pure. Rules are united: what any of them wants stays, and so does all that it
// stands on. Hours, days and weeks are those of UTC.
import type { ProofLevel } from "../domain/chain.ts";
import { shortId } from "../domain/ids.ts";
import type { Offering } from "../domain/offering.ts";
import { PROOF_LEVELS } from "../domain/validation.ts";

export type RetentionPolicy = NonNullable<Offering["retention"]>;

/** A restore point as retention sees it. */
export type RetentionPoint = {
	readonly id: string;
	/** The backup that it stands on; null for one that stands alone. */
	readonly parent: string | null;
	/** ISO 8601, and the same in ms since 1970. */
	readonly pointInTime: string;
	readonly atMs: number;
	/** Deleted, but living backups stand on it: it is not judged. */
	readonly removed: boolean;
	readonly pinned: boolean;
	/** The highest proof that it has. */
	readonly proof: ProofLevel | null;
	/** The next increment would stand on it. */
	readonly goesOn: boolean;
	/** Whose rules judge it: only points of one judge are counted together. */
	readonly judge: string;
	/** The rules; null where nothing may go. */
	readonly policy: RetentionPolicy | null;
	/** Why nothing may go, in words. */
	readonly why: string;
};

/** What becomes of a restore point; at least one reason in words. */
export type RetentionVerdict = {
	readonly id: string;
	readonly keep: boolean;
	readonly reasons: readonly string[];
};

const DAY_MS = 86_400_000;
/** Monday of the week of 1970-01-01, a Thursday. */
const FIRST_MONDAY_MS = -3 * DAY_MS;

const startOf =
	(length: number) =>
	({ pointInTime }: RetentionPoint): string =>
		pointInTime.slice(0, length);

const weekOf = ({ atMs }: RetentionPoint): string =>
	String(Math.floor((atMs - FIRST_MONDAY_MS) / (7 * DAY_MS)));

/** Rules that keep the newest point of each of the last so many periods that have one. */
const PERIODS = [
	["keepHourly", "hour", startOf(13)],
	["keepDaily", "day", startOf(10)],
	["keepWeekly", "week", weekOf],
	["keepMonthly", "month", startOf(7)],
	["keepYearly", "year", startOf(4)],
] as const;

const byPeriods = (
	points: readonly RetentionPoint[],
	policy: RetentionPolicy,
): readonly (readonly [string, string])[] =>
	PERIODS.flatMap(([rule, word, periodOf]) => {
		const count = policy[rule] ?? 0;
		const newest = new Map<string, string>();
		for (const point of points) {
			const period = periodOf(point);
			if (!newest.has(period)) newest.set(period, point.id);
		}
		return [...newest.values()]
			.slice(0, count)
			.map((id, index) => [id, `${word} ${index + 1} of ${count}`] as const);
	});

const rank = ({ proof }: RetentionPoint): number =>
	proof === null ? -1 : PROOF_LEVELS.indexOf(proof);

/** The newest of those with the highest proof. */
const bestProven = (points: readonly RetentionPoint[]): RetentionPoint | undefined =>
	points.reduce<RetentionPoint | undefined>(
		(best, point) => (best === undefined || rank(point) > rank(best) ? point : best),
		undefined,
	);

type Reason = readonly [id: string, reason: string];

/** What the rules of one policy want of the points that were taken under it. */
const byRules = (
	points: readonly RetentionPoint[],
	policy: RetentionPolicy,
	nowMs: number,
): readonly Reason[] => {
	const within = policy.keepWithin ?? 0;
	return [
		...points
			.slice(0, policy.keepLast ?? 0)
			.map(({ id }, index) => [id, `last ${index + 1} of ${policy.keepLast}`] as const),
		...byPeriods(points, policy),
		...points
			.filter(({ atMs }) => within > 0 && atMs >= nowMs - within)
			.map(({ id }) => [id, `within ${Math.round((within / DAY_MS) * 10) / 10} days`] as const),
	];
};

/** Points that the same rules judge; those that nothing may take are left out. */
const byPolicy = (
	points: readonly RetentionPoint[],
): readonly (readonly [RetentionPolicy, readonly RetentionPoint[]])[] => {
	const keyOf = ({ judge, policy }: RetentionPoint): string => JSON.stringify([judge, policy]);
	return [...new Set(points.map(keyOf))].flatMap((key) => {
		const group = points.filter((point) => keyOf(point) === key);
		const policy = group[0]?.policy ?? null;
		return policy === null ? [] : [[policy, group] as const];
	});
};

/** Why points stay for their own sake, by id. */
const wanted = (points: readonly RetentionPoint[], nowMs: number): readonly Reason[] => {
	const best = bestProven(points);
	return [
		...points.flatMap(({ id, policy, why }) => (policy === null ? [[id, why] as const] : [])),
		...byPolicy(points).flatMap(([policy, group]) => byRules(group, policy, nowMs)),
		...points.filter(({ pinned }) => pinned).map(({ id }) => [id, "it is pinned"] as const),
		...points
			.filter(({ goesOn }) => goesOn)
			.map(({ id }) => [id, "the open chain goes on from it"] as const),
		...(best === undefined
			? []
			: [[best.id, `the newest with the highest proof (${best.proof ?? "none"})`] as const]),
	];
};

/** The verdict on each restore point of one VM, the newest first. A point that stays keeps all that it stands on. */
export const planRetention = (
	unsorted: readonly RetentionPoint[],
	nowMs: number,
): readonly RetentionVerdict[] => {
	const points = unsorted.filter(({ removed }) => !removed).toSorted((a, b) => b.atMs - a.atMs);
	const byId = new Map(unsorted.map((point) => [point.id, point]));
	const reasons = new Map<string, string[]>();
	const add = (id: string, reason: string): void => {
		reasons.set(id, [...(reasons.get(id) ?? []), reason]);
	};
	const own = wanted(points, nowMs);
	for (const [id, reason] of own) add(id, reason);
	for (const id of new Set(own.map(([id]) => id))) {
		const seen = new Set([id]);
		for (let at = byId.get(id)?.parent ?? null; at !== null && !seen.has(at); ) {
			seen.add(at);
			add(at, `${shortId(id)} stands on it`);
			at = byId.get(at)?.parent ?? null;
		}
	}
	return points.map(({ id }) => {
		const why = reasons.get(id);
		return why === undefined
			? { id, keep: false, reasons: ["no rule keeps it"] }
			: { id, keep: true, reasons: why };
	});
};
