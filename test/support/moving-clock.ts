import type { Clock, IdSource } from "@knib/core";

/** A clock that waiting moves. */
export const movingClock = (): Clock & { readonly advance: (ms: number) => void } => {
	let ms = 0;
	const advance = (by: number): void => {
		ms += by;
	};
	return {
		now: () => new Date(Date.parse("2026-01-02T03:04:05.000Z") + ms).toISOString(),
		monotonic: () => ms,
		sleep: async (by) => advance(by),
		advance,
	};
};

/** Ids that are the same in every run. */
export const countingIds = (): IdSource => {
	let made = 0;
	const next = (digits: number): string => {
		made += 1;
		return String(made).padStart(digits, "0");
	};
	return { uuid: () => `0196f000-0000-7000-8000-${next(12)}`, random: (bytes) => next(bytes * 2) };
};
