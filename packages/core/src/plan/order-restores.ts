// In which order a set of VMs is restored: nothing before what it depends on, else the most urgent first.
import { type Refusal, refuse } from "./plan.ts";

/** What the order depends on. A lower priority is more urgent. */
export type RestoreItem = {
	readonly name: string;
	readonly after: readonly string[];
	readonly priority: number;
};

const repeated = (names: readonly string[]): readonly string[] => [
	...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
];

/** The way round that dependencies take from `from`, which has one: `a after b after a`. */
const cycleFrom = (from: RestoreItem, stuck: ReadonlyMap<string, RestoreItem>): string => {
	const way: string[] = [];
	let at: RestoreItem | undefined = from;
	while (at !== undefined && !way.includes(at.name)) {
		way.push(at.name);
		const next: string | undefined = at.after.find((name) => stuck.has(name));
		at = next === undefined ? undefined : stuck.get(next);
	}
	const first = at?.name ?? from.name;
	return [...way.slice(way.indexOf(first)), first].join(" after ");
};

/** Items so that each comes after all it depends on, else as given; what is left stands on a cycle. */
const sorted = <T extends RestoreItem>(items: readonly T[]) => {
	const order: T[] = [];
	const left = new Map(items.map((item) => [item.name, item]));
	const next = (): T | undefined =>
		items.find(({ name, after }) => left.has(name) && !after.some((one) => left.has(one)));
	for (let item = next(); item !== undefined; item = next()) {
		left.delete(item.name);
		order.push(item);
	}
	return { order, left };
};

/** Priorities as they count: what something urgent waits for is as urgent. `order` has dependencies first. */
const urgencies = (order: readonly RestoreItem[]): ReadonlyMap<string, number> => {
	const urgency = new Map(order.map(({ name, priority }) => [name, priority]));
	for (const { name, after } of order.toReversed()) {
		const own = urgency.get(name) ?? 0;
		for (const one of after) urgency.set(one, Math.min(own, urgency.get(one) ?? own));
	}
	return urgency;
};

/** The items in the order in which they would be restored one at a time. Refuses with USAGE, naming what is there twice, what is not there, and every name of a cycle. */
export const orderRestores = <T extends RestoreItem>(
	items: readonly T[],
): readonly T[] | Refusal => {
	const names = items.map(({ name }) => name);
	const twice = repeated(names);
	if (twice.length > 0) {
		return refuse("USAGE", `more than one entry is named ${twice.join(", ")}`, {
			hint: 'give each entry a name of its own with name = "…"',
		});
	}
	const unknown = items.flatMap(({ name, after }) =>
		after.filter((one) => !names.includes(one)).map((one) => `${name} is after ${one}`),
	);
	if (unknown.length > 0) {
		return refuse("USAGE", `${unknown.join("; ")}: no entry has that name`, {
			hint: `the entries are named ${names.join(", ")}`,
		});
	}
	const { order, left } = sorted(items);
	const [first] = left.values();
	if (first !== undefined) {
		return refuse("USAGE", `entries wait for each other: ${cycleFrom(first, left)}`, {
			hint: "take one of them out of an `after`",
		});
	}
	const urgency = urgencies(order);
	const of = (item: T): number => urgency.get(item.name) ?? item.priority;
	return order.toSorted((a, b) => of(a) - of(b));
};
