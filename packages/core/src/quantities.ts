// Reading numbers with units as people write them: durations, sizes, rates. MB is 1 000 000 bytes, MiB 1 048 576.

const DURATIONS: Readonly<Record<string, number>> = {
	ms: 0.001,
	s: 1,
	sec: 1,
	m: 60,
	min: 60,
	h: 3600,
	d: 86_400,
	day: 86_400,
	days: 86_400,
	w: 604_800,
};
const SIZES: Readonly<Record<string, number>> = {
	b: 1,
	bytes: 1,
	k: 1024,
	kb: 1000,
	kib: 1024,
	m: 1024 ** 2,
	mb: 1000 ** 2,
	mib: 1024 ** 2,
	g: 1024 ** 3,
	gb: 1000 ** 3,
	gib: 1024 ** 3,
	t: 1024 ** 4,
	tb: 1000 ** 4,
	tib: 1024 ** 4,
};
const rates = Object.fromEntries(
	Object.entries(SIZES).map(([unit, factor]) => [`${unit}/s`, factor]),
);

/** For each unit of a table: the suffixes that may follow a number, and what one of the unit itself is worth. */
const FAMILIES: Readonly<Record<string, { units: Readonly<Record<string, number>>; one: number }>> =
	{
		s: { units: DURATIONS, one: 1 },
		min: { units: DURATIONS, one: 60 },
		h: { units: DURATIONS, one: 3600 },
		days: { units: DURATIONS, one: 86_400 },
		bytes: { units: SIZES, one: 1 },
		"MB/s": { units: rates, one: 1000 ** 2 },
		"%": { units: { "%": 1 }, one: 1 },
	};

/** A number in `unit`: a bare one is in it already, a suffix of the same family is converted. Undefined when it cannot be read. */
export const parseQuantity = (text: string, unit: string | null): number | undefined => {
	const match = /^([+-]?\d{1,15}(?:\.\d{1,9})?) ?([a-z/%]*)$/i.exec(text.trim());
	const [, digits, suffix] = match ?? [];
	if (digits === undefined || suffix === undefined) return undefined;
	const number = Number(digits);
	if (suffix === "") return number;
	const family = unit === null ? undefined : FAMILIES[unit];
	if (family === undefined) return suffix === unit ? number : undefined;
	const lower = suffix.toLowerCase();
	const factor = Object.hasOwn(family.units, lower) ? family.units[lower] : undefined;
	return factor === undefined ? undefined : (number * factor) / family.one;
};
