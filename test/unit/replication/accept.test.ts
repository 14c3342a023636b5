import {
	canonicalJson,
	hlcMilliseconds,
	isTooFarAhead,
	type Judge,
	judgeDocument,
	laterHlc,
	memberDocumentId,
	nextHlc,
	type OwnedDocument,
	ownedText,
	replicaKey,
	type SharedDocument,
	writeFields,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { EMPTY, HOSTS } from "./histories.ts";

const [A = "", B = "", STRANGER = ""] = HOSTS;
const NOW = 1_700_000_000_000;

/** A signature that says who signed what. */
const sign = (host: string) => (text: string) => `${host.slice(0, 4)}${text.length}`;

const judge: Judge = {
	isKnown: (host) => host === A || host === B,
	verify: (host, text, sig) => sig === sign(host)(text),
	wallMs: NOW,
};

const job = (changes: Partial<OwnedDocument> = {}): OwnedDocument => {
	const plain: OwnedDocument = {
		way: "owned",
		kind: "job",
		id: "j1",
		owner: A,
		ver: 1,
		sig: "",
		body: { state: "running" },
		...changes,
	};
	return { ...plain, sig: sign(plain.owner)(ownedText(plain)) };
};

const offering = (ms: number, host = A): SharedDocument =>
	writeFields(
		EMPTY,
		{ name: "gold" },
		{ host, hlc: nextHlc("000000000000-0000", ms), sign: sign(host) },
	);

const reasonOf = (raw: unknown): string => {
	const judgement = judgeDocument(raw, judge);
	return judgement.accepted ? "accepted" : judgement.reason;
};

test("accept › takes what a member wrote and signed", (t) => {
	t.is(reasonOf(job()), "accepted");
	t.is(reasonOf(job({ body: null, ver: 2 })), "accepted");
	t.is(reasonOf(offering(NOW)), "accepted");
});

test("accept › drops a changed, a foreign and an unsigned document", (t) => {
	t.is(reasonOf({ ...job(), body: { state: "it was done long ago" } }), "signature");
	t.is(reasonOf({ ...job(), owner: B }), "signature");
	t.is(reasonOf({ ...job(), sig: "" }), "signature");
	t.is(reasonOf(job({ owner: STRANGER })), "writer");
	t.is(reasonOf(offering(NOW, STRANGER)), "writer");
});

test("accept › drops a kind that is written in another way", (t) => {
	t.is(reasonOf(job({ kind: "offering" })), "writer");
	t.is(reasonOf({ ...offering(NOW), kind: "job" }), "writer");
});

test("accept › takes an intent once, and its removal", (t) => {
	t.is(reasonOf(job({ kind: "intent" })), "accepted");
	t.is(reasonOf(job({ kind: "intent", ver: 2 })), "writer");
	t.is(reasonOf(job({ kind: "intent", ver: 2, body: null })), "accepted");
});

test("accept › drops what is too far in the future, and no more", (t) => {
	t.is(reasonOf(offering(NOW + 3_600_000)), "accepted");
	t.is(reasonOf(offering(NOW + 3_600_001)), "clock");
});

test("accept › drops what is too large or too deep", (t) => {
	t.is(reasonOf(job({ body: { text: "x".repeat(1_048_576) } })), "size");
	let deep: unknown = 1;
	for (let level = 0; level < 10_000; level += 1) deep = [deep];
	t.is(reasonOf({ ...job(), body: { deep } }), "schema");
});

test("accept › takes of a document about a member what known hosts wrote, and the rest once they are known", (t) => {
	const about = { ...EMPTY, kind: "setting", id: memberDocumentId(STRANGER) } as const;
	const at = (ms: number) => nextHlc("000000000000-0000", ms);
	const byMember = writeFields(about, { role: "admin" }, { host: A, hlc: at(1), sign: sign(A) });
	const other = { host: B, hlc: at(2), sign: sign(B) };
	const whole = writeFields(byMember, { name: "web" }, other);
	const knows = (...hosts: readonly string[]): Judge => ({
		...judge,
		isKnown: (host) => hosts.includes(host),
	});
	const part = judgeDocument(whole, knows(A));
	t.true(part.accepted && part.isPart);
	t.deepEqual(part.accepted && part.document, byMember);
	t.deepEqual(judgeDocument(whole, knows(A, B)), { accepted: true, document: whole });
	t.like(judgeDocument(whole, knows()), { accepted: false, reason: "writer" });
	const alone = writeFields(
		about,
		{ name: "me" },
		{ ...other, host: STRANGER, sign: sign(STRANGER) },
	);
	t.like(judgeDocument(alone, knows(A)), { accepted: false, reason: "writer" });
	const forged = {
		...whole,
		fields: { ...whole.fields, role: [{ ...whole.fields["role"]?.[0], value: "viewer" }] },
	};
	t.like(judgeDocument(forged, knows(A)), { accepted: false, reason: "signature" });
	const offered = writeFields(
		offering(NOW),
		{ description: "x" },
		{ host: STRANGER, hlc: at(NOW), sign: sign(STRANGER) },
	);
	t.like(judgeDocument(offered, knows(A)), { accepted: false, reason: "writer" });
});

test("accept › never throws and takes no arbitrary JSON", (t) => {
	fc.assert(fc.property(fc.jsonValue(), (raw) => reasonOf(raw) !== "accepted"));
	t.pass();
});

test("accept › keeps documents of two owners with one id apart", (t) => {
	t.not(replicaKey(job()), replicaKey(job({ owner: B })));
	t.is(replicaKey(job()), replicaKey(job({ ver: 7 })));
});

test("canonical JSON › is the same for equal values, and JSON again", (t) => {
	fc.assert(
		fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
			const text = canonicalJson(value);
			return canonicalJson(JSON.parse(text)) === text;
		}),
	);
	t.is(canonicalJson({ b: 1, a: [true, null] }), '{"a":[true,null],"b":1}');
	t.throws(() => canonicalJson({ a: Number.NaN }), { instanceOf: TypeError });
});

test("hybrid clock › never falls, whatever the wall clock does", (t) => {
	fc.assert(
		fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 45 }), { maxLength: 30 }), (walls) => {
			let last = "000000000000-0000";
			return walls.every((wall) => {
				const next = nextHlc(last, wall);
				const grows = next > last;
				last = next;
				return grows;
			});
		}),
	);
	t.is(nextHlc("00000000000a-ffff", 3), "00000000000b-0000");
	t.is(laterHlc("00000000000a-0001", "00000000000a-0000"), "00000000000a-0001");
	t.is(hlcMilliseconds("00000000000a-0001"), 10);
	t.true(isTooFarAhead(nextHlc("000000000000-0000", 4_000_000), 0));
});
