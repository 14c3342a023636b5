import { setTimeout as pause } from "node:timers/promises";

export type Deadline = {
	readonly deadlineMs: number;
	/** What is waited for, as in "agent of guest1 to answer". */
	readonly what: string;
	readonly everyMs?: number;
};

const POLL_MS = 50;

/** Polls until the condition gives something other than false, null and undefined, and returns that. */
export async function waitFor<T>(
	condition: () => Promise<T | false | null | undefined> | T | false | null | undefined,
	{ deadlineMs, what, everyMs = POLL_MS }: Deadline,
): Promise<T> {
	const end = performance.now() + deadlineMs;
	for (;;) {
		const value = await condition();
		if (value !== false && value !== null && value !== undefined) return value;
		if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
		await pause(everyMs);
	}
}
