// Restore drills on a budget: which VMs are booted tonight (SPEC 8, `backup.validation.drills.per.night`).

/** A VM that could be drilled. */
export type DrillCandidate = {
	readonly vm: string;
	/** Its newest backup that a drill would boot; null when it has none. */
	readonly backup: string | null;
	/** When a boot was last proven; null for never. ISO instant. */
	readonly provenAt: string | null;
	/** `backup.validation.max.age` in days; 0 = off. */
	readonly maxAgeDays: number;
	/** A validation of it waits or runs already. */
	readonly busy: boolean;
};

/** A drill, and why it is this VM's turn. */
export type Drill = { readonly vm: string; readonly backup: string; readonly reason: string };

const DAY_MS = 86_400_000;

type Rated = { readonly candidate: DrillCandidate; readonly ageMs: number };

const isOverdue = ({ candidate, ageMs }: Rated): boolean =>
	candidate.maxAgeDays > 0 && ageMs > candidate.maxAgeDays * DAY_MS;

const reasonOf = (rated: Rated): string => {
	if (rated.ageMs === Number.POSITIVE_INFINITY) return "no boot of it was ever proven";
	const days = Math.floor(rated.ageMs / DAY_MS);
	const age = `its last proven boot is ${days} days old`;
	return isOverdue(rated) ? `${age}, more than ${rated.candidate.maxAgeDays} allowed` : age;
};

/** The drills of one night: VMs whose proof is older than allowed first, then the oldest proof first, at most `budget`. `nowMs` and `parse` turn instants into milliseconds. */
export const pickDrills = (
	candidates: readonly DrillCandidate[],
	budget: number,
	nowMs: number,
	parse: (instant: string) => number,
): readonly Drill[] => {
	const rated = candidates
		.filter(({ backup, busy }) => backup !== null && !busy)
		.map((candidate): Rated => {
			const { provenAt } = candidate;
			const ageMs = provenAt === null ? Number.POSITIVE_INFINITY : nowMs - parse(provenAt);
			return { candidate, ageMs };
		});
	const order = (a: Rated, b: Rated): number => {
		const overdue = Number(isOverdue(b)) - Number(isOverdue(a));
		if (overdue !== 0) return overdue;
		if (a.ageMs !== b.ageMs) return a.ageMs > b.ageMs ? -1 : 1;
		return a.candidate.vm < b.candidate.vm ? -1 : 1;
	};
	return [...rated]
		.sort(order)
		.slice(0, Math.max(0, budget))
		.flatMap((one) => {
			const { vm, backup } = one.candidate;
			return backup === null ? [] : [{ vm, backup, reason: reasonOf(one) }];
		});
};
