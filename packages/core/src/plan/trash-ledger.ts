// How long each entry of the trash has lain there as the daemon has seen time pass: a clock that jumps adds nothing (SAFETY F16).
import { z } from "zod";
import { type ClockSight, clockDoubt } from "./clock-guard.ts";

/** What is kept between looks and restarts; `seenMs` by `<repository>/<entry>`. */
export const trashLedgerSchema = z.strictObject({
	lastWallMs: z.number().nullable(),
	seenMs: z.record(z.string(), z.number().nonnegative()),
});
export type TrashLedger = z.infer<typeof trashLedgerSchema>;

export const EMPTY_LEDGER: TrashLedger = { lastWallMs: null, seenMs: {} };

export type TrashLook = {
	readonly now: ClockSight;
	/** Both clocks at the first look of this process; null when this is it. */
	readonly anchor: ClockSight | null;
	/** Monotonic time of the last look of this process; null when this is the first. */
	readonly lastMonotonicMs: number | null;
	readonly newestManifestMs: number | null;
	readonly synchronized: boolean | null;
	readonly graceMs: number;
	readonly entries: readonly string[];
	/** Repositories that did not answer: what the ledger says of their entries stays. */
	readonly unreadable: readonly string[];
};

export type TrashVerdict = {
	readonly ledger: TrashLedger;
	/** Entries whose grace is over. */
	readonly purge: readonly string[];
	/** Why nothing is deleted, in words; null when the clock is believed. */
	readonly doubt: string | null;
};

const repositoryOf = (entry: string): string => entry.slice(0, entry.indexOf("/"));

/** One look at the trash. Time counts only between two looks of one process, by its monotonic clock. */
export const lookAtTrash = (ledger: TrashLedger, look: TrashLook): TrashVerdict => {
	const doubt = clockDoubt({ ...look, lastWallMs: ledger.lastWallMs });
	const passed =
		look.lastMonotonicMs === null ? 0 : Math.max(0, look.now.monotonicMs - look.lastMonotonicMs);
	const seenMs: Record<string, number> = {};
	for (const [entry, ms] of Object.entries(ledger.seenMs)) {
		if (look.unreadable.includes(repositoryOf(entry))) seenMs[entry] = ms;
	}
	for (const entry of look.entries) {
		const before = ledger.seenMs[entry];
		seenMs[entry] = before === undefined ? 0 : before + passed;
	}
	const over = look.entries.filter((entry) => (seenMs[entry] ?? 0) >= look.graceMs);
	const purge = doubt === null ? over : [];
	const lastWallMs = doubt === null ? look.now.wallMs : ledger.lastWallMs;
	return { ledger: { lastWallMs, seenMs }, purge, doubt };
};
