// How long a set of restores will take, from what was measured before. What was never measured is unknown, not guessed.
import {
	beginRestores,
	isOver,
	markRestore,
	type RestoreRun,
	readyRestores,
} from "../machine/restore-run.ts";
import { duration, size } from "../text.ts";
import type { RestoreItem } from "./order-restores.ts";

/** What is known of one restore. Null: never measured; `from` says by what it was. */
export type RestoreFigures = {
	readonly quick: boolean;
	readonly start: boolean;
	/** Bytes that are written before the VM can start. */
	readonly bytes: number | null;
	/** From the VM's start to its agent's first answer. */
	readonly boot: { readonly ms: number; readonly from: string } | null;
	readonly rate: { readonly bytesPerSecond: number; readonly from: string } | null;
};

/** `ms` is null where it is unknown; the basis says from what it is derived, or what is missing. */
export type RestoreEstimate = {
	readonly ms: number | null;
	/** What is known of it: `ms` where that is known. */
	readonly leastMs: number;
	readonly basis: string;
};

const known = (ms: number, basis: string): RestoreEstimate => ({ ms, leastMs: ms, basis });
const unknown = (basis: string): RestoreEstimate => ({ ms: null, leastMs: 0, basis });

const bootEstimate = ({ boot }: RestoreFigures): RestoreEstimate =>
	boot === null
		? unknown("nothing has measured yet how fast it boots")
		: known(boot.ms, `boots in ${duration(boot.ms)}, as ${boot.from} measured`);

const copyEstimate = ({ bytes, rate }: RestoreFigures): RestoreEstimate => {
	if (bytes === null) return unknown("the host does not say how much it would write");
	if (rate === null) return unknown(`${size(bytes)}, and no rate was measured here yet`);
	return known(
		Math.ceil((bytes * 1000) / rate.bytesPerSecond),
		`${size(bytes)} at ${size(rate.bytesPerSecond)}/s, the rate of ${rate.from}`,
	);
};

/** How long one restore takes: until its agent answers where it is started, else until its disks are complete. */
export const estimateRestore = (figures: RestoreFigures): RestoreEstimate => {
	if (figures.quick) return bootEstimate(figures);
	const copy = copyEstimate(figures);
	if (!figures.start) return copy;
	const boot = bootEstimate(figures);
	const leastMs = copy.leastMs + boot.leastMs;
	const whole = copy.ms !== null && boot.ms !== null;
	return { ms: whole ? leastMs : null, leastMs, basis: `${copy.basis}; ${boot.basis}` };
};

/** When one starts, ms from the beginning; `exact` is false where something of unknown length may come before: then it is the least. */
export type PlannedStart = {
	readonly name: string;
	readonly startMs: number;
	readonly exact: boolean;
};
export type RestoreTimeline = {
	readonly starts: readonly PlannedStart[];
	/** All of it, ms. */
	readonly totalMs: number;
	readonly exact: boolean;
};

type Clock = { run: RestoreRun; now: number; exact: boolean };

/** When each would start, and all be done, if every restore succeeds and takes as long as estimated. `items` are ordered. */
export const timeRestores = (
	items: readonly RestoreItem[],
	parallel: number,
	estimates: ReadonlyMap<string, Pick<RestoreEstimate, "ms" | "leastMs">>,
): RestoreTimeline => {
	const at: Clock = { run: beginRestores(items, parallel), now: 0, exact: true };
	const ends = new Map<string, number>();
	const starts: PlannedStart[] = [];
	while (!isOver(at.run)) {
		for (const name of readyRestores(at.run)) {
			starts.push({ name, startMs: at.now, exact: at.exact });
			ends.set(name, at.now + (estimates.get(name)?.leastMs ?? 0));
			at.run = markRestore(at.run, name, { state: "running" });
		}
		const [next] = [...ends].sort(([, a], [, b]) => a - b);
		if (next === undefined) break;
		const [name, end] = next;
		at.now = end;
		at.exact &&= typeof estimates.get(name)?.ms === "number";
		ends.delete(name);
		at.run = markRestore(at.run, name, { state: "done" });
	}
	return { starts, totalMs: at.now, exact: at.exact };
};
