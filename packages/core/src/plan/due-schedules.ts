// Which schedules are due. Pure: the next run after a moment is given, since cron and time zones are not core's.
import type { Schedule } from "../domain/schedule.ts";

/** How far a kept time may lie ahead before the clock counts as set back, ms. */
const AHEAD_MS = 5 * 60_000;

export type ScheduleClock = {
	readonly nowMs: number;
	/** When this host last carried it out or passed it by, ms since 1970; undefined when never. */
	readonly lastMs: number | undefined;
	readonly changedMs: number;
	/** How late this host begins, ms. */
	readonly delayMs: number;
	/** The first run after a moment, both ms; null when there is none. */
	readonly nextAfter: (ms: number) => number | null;
};

/** The run that is due; a run is one, however many were missed. Undefined when none is. */
export const dueRun = (clock: ScheduleClock): number | undefined => {
	const { nowMs, lastMs = 0, changedMs, delayMs, nextAfter } = clock;
	// A clock that was set back does not stop the schedule until it has caught up.
	const last = lastMs > nowMs + AHEAD_MS ? nowMs : lastMs;
	const next = nextAfter(Math.max(last, Math.min(changedMs, nowMs)));
	return next !== null && next + delayMs <= nowMs ? next : undefined;
};

/** How late a host begins a schedule, between 0 and its jitter: from both names, so that it is the same each time. */
export const delayOf = (
	{ id, jitterMs }: Pick<Schedule, "id" | "jitterMs">,
	host: string,
): number => {
	let hash = 2_166_136_261;
	for (const char of `${id}/${host}`)
		hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619);
	return jitterMs === 0 ? 0 : (hash >>> 0) % (jitterMs + 1);
};
