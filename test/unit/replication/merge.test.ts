import {
	canonicalJson,
	isForked,
	mergeDocuments,
	type OwnedDocument,
	type ReplicaDocument,
	sharedBody,
	sharedConflicts,
	writeFields,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { EMPTY, HOSTS, history, versions } from "./histories.ts";

const [A = "", B = ""] = HOSTS;

const same = (left: ReplicaDocument, right: ReplicaDocument): boolean =>
	canonicalJson(left) === canonicalJson(right);

const owned: fc.Arbitrary<OwnedDocument> = fc.record({
	way: fc.constant("owned"),
	kind: fc.constant("job"),
	id: fc.constant("j1"),
	owner: fc.constant(A),
	ver: fc.integer({ min: 1, max: 3 }),
	sig: fc.constant(""),
	body: fc.option(fc.record({ n: fc.integer({ min: 0, max: 3 }) })),
});

const write = (at: string, host: string, value: unknown, document = EMPTY) =>
	writeFields(document, { name: value }, { host, hlc: `${at}-0000`, sign: () => "" });

test("merge › commutes, associates and is idempotent on whatever hosts write", (t) => {
	fc.assert(
		fc.property(history, fc.infiniteStream(fc.nat()), (past, picks) => {
			const all = versions(past);
			const pick = () => all[(picks.next().value ?? 0) % all.length] ?? EMPTY;
			const [a, b, c] = [pick(), pick(), pick()];
			if (!same(mergeDocuments(a, b), mergeDocuments(b, a))) return false;
			if (!same(mergeDocuments(a, a), a)) return false;
			const left = mergeDocuments(mergeDocuments(a, b), c);
			return same(left, mergeDocuments(a, mergeDocuments(b, c)));
		}),
		{ numRuns: 1000 },
	);
	t.pass();
});

test("merge › gives one document whatever the order and repetition of what arrives", (t) => {
	fc.assert(
		fc.property(history, fc.infiniteStream(fc.nat()), (past, picks) => {
			const all: readonly ReplicaDocument[] = versions(past);
			const shuffled = all
				.flatMap((one) => [one, one])
				.map((one) => ({ one, at: Number(picks.next().value) }))
				.sort((x, y) => x.at - y.at)
				.map(({ one }) => one);
			return same(all.reduce(mergeDocuments), shuffled.reduce(mergeDocuments));
		}),
		{ numRuns: 500 },
	);
	t.pass();
});

test("merge › of owned documents commutes, associates and is idempotent, also under one version", (t) => {
	fc.assert(
		fc.property(owned, owned, owned, (a, b, c) => {
			const left = mergeDocuments(mergeDocuments(a, b), c);
			return (
				same(mergeDocuments(a, b), mergeDocuments(b, a)) &&
				same(left, mergeDocuments(a, mergeDocuments(b, c))) &&
				same(mergeDocuments(a, a), a)
			);
		}),
	);
	t.pass();
});

test("merge › keeps edits of different fields on both sides, without a conflict", (t) => {
	const left = writeFields(
		EMPTY,
		{ name: "gold" },
		{ host: A, hlc: "000000000001-0000", sign: () => "" },
	);
	const right = writeFields(
		EMPTY,
		{ keep: 7 },
		{ host: B, hlc: "000000000002-0000", sign: () => "" },
	);
	const both = mergeDocuments(left, right);
	if (both.way !== "shared") return t.fail();
	t.deepEqual(sharedBody(both), { name: "gold", keep: 7 });
	t.deepEqual(sharedConflicts(both), []);
});

test("merge › lists the value that lost until somebody writes the field again", (t) => {
	const both = mergeDocuments(write("000000000001", A, "x"), write("000000000002", B, "y"));
	if (both.way !== "shared") return t.fail();
	t.deepEqual(sharedBody(both), { name: "y" });
	t.deepEqual(
		sharedConflicts(both).map(({ field, kept, lost }) => [field, kept.value, lost.value]),
		[["name", "y", "x"]],
	);
	const settled = mergeDocuments(write("000000000003", A, "x", both), both);
	if (settled.way !== "shared") return t.fail();
	t.deepEqual(sharedBody(settled), { name: "x" });
	t.deepEqual(sharedConflicts(settled), []);
});

test("merge › lists no conflict for an edit that has seen the other", (t) => {
	const first = write("000000000001", A, "x");
	const third = write("000000000003", A, "z", write("000000000002", B, "y", first));
	const both = mergeDocuments(first, third);
	if (both.way !== "shared") return t.fail();
	t.deepEqual(sharedConflicts(both), []);
});

test("merge › tells two contents under one version of one owner", (t) => {
	const one: OwnedDocument = {
		way: "owned",
		kind: "job",
		id: "j1",
		owner: A,
		ver: 1,
		sig: "",
		body: { n: 1 },
	};
	t.true(isForked(one, { ...one, body: null }));
	t.false(isForked(one, one));
	t.false(isForked(one, { ...one, ver: 2, body: null }));
});

test("merge › refuses to make one of documents that are written in two ways", (t) => {
	const one: OwnedDocument = {
		way: "owned",
		kind: "job",
		id: "o1",
		owner: A,
		ver: 1,
		sig: "",
		body: null,
	};
	t.throws(() => mergeDocuments(one, EMPTY), { instanceOf: TypeError });
});
