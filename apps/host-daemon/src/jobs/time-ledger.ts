// The file in which it is kept how long each thing that goes by time has been seen to lie there (SAFETY F16), and one look at it.
import { readFile } from "node:fs/promises";
import {
	type Clock,
	type ClockSight,
	EMPTY_LEDGER,
	lookAtTrash,
	type TrashLedger,
	type TrashLook,
	type TrashVerdict,
	trashLedgerSchema,
} from "@knib/core";
import { writeStateFile } from "../state-file.ts";

type Seen = Pick<TrashLook, "newestManifestMs" | "graceMs" | "entries" | "unreadable">;

const readLedger = async (path: string): Promise<TrashLedger> => {
	try {
		const parsed = trashLedgerSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
		// A ledger that cannot be read makes every grace begin anew: that deletes later, never earlier.
		return parsed.success ? parsed.data : EMPTY_LEDGER;
	} catch {
		return EMPTY_LEDGER;
	}
};

/** A ledger kept at `path` by the clocks of this process. */
export const openTimeLedger = (path: string, clock: Clock) => {
	let anchor: ClockSight | null = null;
	let lastMonotonicMs: number | null = null;
	return {
		/** What has been seen so far. */
		read: (): Promise<TrashLedger> => readLedger(path),
		/** Counts the time since the last look, and says what is over. Durable when this resolves. */
		look: async (seen: Seen): Promise<TrashVerdict> => {
			const now: ClockSight = { wallMs: Date.parse(clock.now()), monotonicMs: clock.monotonic() };
			const verdict = lookAtTrash(await readLedger(path), {
				...seen,
				now,
				anchor,
				lastMonotonicMs,
				synchronized: null,
			});
			anchor ??= now;
			lastMonotonicMs = now.monotonicMs;
			await writeStateFile(path, verdict.ledger);
			return verdict;
		},
	};
};
