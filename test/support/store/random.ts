import type { ExecutionContext } from "ava";

/** Repeatable chance. */
export interface Random {
	/** An integer from 0 up to, without, `limit`. */
	below(limit: number): number;
	pick<T>(items: readonly [T, ...T[]]): T;
	/** Up to `count` different integers below `limit`. */
	some(count: number, limit: number): readonly number[];
}

/** Chance from a seed (mulberry32). */
export const seededRandom = (seed: number): Random => {
	let state = seed >>> 0;
	const below = (limit: number): number => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
	};
	return {
		below,
		pick: (items) => items[below(items.length)] ?? items[0],
		some: (count, limit) => [...new Set(Array.from({ length: count }, () => below(limit)))],
	};
};

/** Chance for one test; its seed is logged, and can be given back in KNIB_SEED. */
export const randomFor = (t: ExecutionContext): Random => {
	const seed = Number(process.env["KNIB_SEED"] ?? Date.now() % 2 ** 31);
	t.log(`KNIB_SEED=${seed}`);
	return seededRandom(seed);
};
