// Histories of shared documents as fast-check makes them: hosts that write and hear of each other in any order, with bad clocks.
import {
	type Hlc,
	laterHlc,
	mergeDocuments,
	nextHlc,
	type SharedDocument,
	writeFields,
} from "@knib/core";
import fc from "fast-check";

/** Ids of three hosts. */
export const HOSTS: readonly string[] = ["a", "b", "c"].map((letter) => letter.repeat(64));

export const EMPTY: SharedDocument = { way: "shared", kind: "offering", id: "o1", fields: {} };

type Event =
	| {
			readonly type: "write";
			readonly host: number;
			readonly field: string;
			readonly value: number;
	  }
	| { readonly type: "hear"; readonly host: number; readonly from: number };

const host = fc.integer({ min: 0, max: HOSTS.length - 1 });

const event: fc.Arbitrary<Event> = fc.oneof(
	fc.record({
		type: fc.constant("write" as const),
		host,
		field: fc.constantFrom("name", "compress"),
		value: fc.integer({ min: 0, max: 9 }),
	}),
	fc.record({ type: fc.constant("hear" as const), host, from: host }),
);

/** What hosts did, and the wall clock of each. */
export const history = fc.record({
	events: fc.array(event, { maxLength: 25 }),
	clocks: fc.tuple(...HOSTS.map(() => fc.integer({ min: 0, max: 600_000 }))),
});

const latestIn = (document: SharedDocument): Hlc =>
	Object.values(document.fields)
		.flat()
		.reduce((latest, { hlc }) => laterHlc(latest, hlc), "000000000000-0000");

const merged = (a: SharedDocument, b: SharedDocument): SharedDocument => {
	const result = mergeDocuments(a, b);
	if (result.way !== "shared") throw new TypeError("a shared document became another");
	return result;
};

/** Every version of the document that any host held, the last one of each host at the end. */
export const versions = ({
	events,
	clocks,
}: {
	readonly events: readonly Event[];
	readonly clocks: readonly number[];
}): readonly SharedDocument[] => {
	const held = HOSTS.map(() => EMPTY);
	const all = [EMPTY];
	for (const [at, one] of events.entries()) {
		const mine = held[one.host] ?? EMPTY;
		const wall = (clocks[one.host] ?? 0) + at;
		const next =
			one.type === "hear"
				? merged(mine, held[one.from] ?? EMPTY)
				: writeFields(
						mine,
						{ [one.field]: one.value },
						{
							host: HOSTS[one.host] ?? "",
							hlc: nextHlc(latestIn(mine), wall),
							sign: () => "",
						},
					);
		held[one.host] = next;
		all.push(next);
	}
	return [...all, ...held];
};
