// Nothing is deleted on account of time while the clock is not believable (SPEC 3.4, SAFETY F16). Pure; times are milliseconds.

/** Both clocks at one moment. */
export type ClockSight = { readonly wallMs: number; readonly monotonicMs: number };

export type ClockFacts = {
	readonly now: ClockSight;
	/** Both clocks when this process first looked; null on the first look. */
	readonly anchor: ClockSight | null;
	/** The last wall time that any earlier look has kept; null when there was none. */
	readonly lastWallMs: number | null;
	/** The newest publication in the repositories of this host. */
	readonly newestManifestMs: number | null;
	/** Whether the kernel calls its clock synchronised; null where nobody knows. */
	readonly synchronized: boolean | null;
};

/** How far the wall clock may move against the monotonic one. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

const minutes = (ms: number): string => `${Math.round(Math.abs(ms) / 60_000)} min`;

/** Why the clock is not believed, in words; null when it is. */
export const clockDoubt = (facts: ClockFacts): string | null => {
	const { now, anchor, lastWallMs, newestManifestMs } = facts;
	if (facts.synchronized === false) return "the clock is not synchronised";
	if (anchor !== null) {
		const moved = now.wallMs - anchor.wallMs - (now.monotonicMs - anchor.monotonicMs);
		if (Math.abs(moved) > CLOCK_TOLERANCE_MS) {
			const where = moved > 0 ? "forward" : "back";
			return `the clock was moved ${where} by ${minutes(moved)} while knibd ran`;
		}
	}
	if (lastWallMs !== null && now.wallMs < lastWallMs - CLOCK_TOLERANCE_MS) {
		return `the clock is ${minutes(lastWallMs - now.wallMs)} behind what it was when knibd last looked`;
	}
	if (newestManifestMs !== null && now.wallMs < newestManifestMs - CLOCK_TOLERANCE_MS) {
		return `the clock is ${minutes(newestManifestMs - now.wallMs)} behind the newest backup`;
	}
	return null;
};

/** Whether the clock may decide on deletions. */
export const clockBelievable = (facts: ClockFacts): boolean => clockDoubt(facts) === null;
