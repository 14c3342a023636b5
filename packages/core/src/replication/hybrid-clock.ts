// A hybrid logical clock: as close to the wall clock as possible, but never behind what this host wrote or has seen.
import { z } from "zod";

/** `<milliseconds, 12 hex>-<counter, 4 hex>`; the order of the texts is the order of the clock. */
export const hlcSchema = z.string().regex(/^[0-9a-f]{12}-[0-9a-f]{4}$/, "not a clock value");
export type Hlc = z.infer<typeof hlcSchema>;

/** Before everything. */
export const HLC_START: Hlc = "000000000000-0000";

/** How far a register may be ahead of the wall clock of the host that receives it. */
export const FARTHEST_AHEAD_MS = 3_600_000;

const text = (ms: number, count: number): Hlc =>
	`${ms.toString(16).padStart(12, "0")}-${count.toString(16).padStart(4, "0")}`;

/** The milliseconds of a clock value. */
export const hlcMilliseconds = (hlc: Hlc): number => Number.parseInt(hlc.slice(0, 12), 16);

const countOf = (hlc: Hlc): number => Number.parseInt(hlc.slice(13), 16);

/** The value for a write, greater than `last` whatever the wall clock says. */
export const nextHlc = (last: Hlc, wallMs: number): Hlc => {
	const ms = hlcMilliseconds(last);
	if (wallMs > ms) return text(wallMs, 0);
	return countOf(last) < 0xffff ? text(ms, countOf(last) + 1) : text(ms + 1, 0);
};

/** The later of two values. */
export const laterHlc = (a: Hlc, b: Hlc): Hlc => (a < b ? b : a);

/** True when a value is farther ahead of the wall clock than any honest host's. */
export const isTooFarAhead = (hlc: Hlc, wallMs: number): boolean =>
	hlcMilliseconds(hlc) > wallMs + FARTHEST_AHEAD_MS;

/** The value for a field that was written before there was a clock, in the order of its writer's counter. */
export const hlcOfVersion = (ver: number): Hlc => text(ver % 2 ** 40, 0);
