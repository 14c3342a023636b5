import { type Member, memberDocumentId, membersOf, type SharedDocument } from "@knib/core";
import test from "ava";

const HOST = "a".repeat(64);
const OTHER = "b".repeat(64);
const SELF = "c".repeat(64);
const key = (letter: string): string => letter.repeat(43);
const SIGNATURE = "s".repeat(86);
const through = (letters: string): string => [...letters].map(key).join(`.${SIGNATURE}.`);

const register = (writer: string, letters: string, value: unknown = "x") => ({
	...{ value, writer, seen: {}, hlc: "000000000001-0000" },
	sig: `${through(letters)}.${SIGNATURE}`,
});
const document = (host: string, fields: SharedDocument["fields"]): SharedDocument => ({
	...{ way: "shared", kind: "setting", id: memberDocumentId(host), fields },
});
const memberIn = (fields: SharedDocument["fields"]): Member | undefined =>
	membersOf([document(HOST, fields)], SELF, []).others[0];

test("members › have the later keys by which they have signed their own fields, and no one else's", (t) => {
	const member = memberIn({
		name: [register(HOST, "A")],
		address: [register(HOST, "ABC"), register(OTHER, "XYZ")],
		role: [register(OTHER, "XY", "admin")],
		keySince: [
			register(OTHER, "X", "2030-01-02T03:04:05.000Z"),
			register(HOST, "AB", "2026-01-02T03:04:05.000Z"),
		],
	});
	t.deepEqual(member?.successions, [through("AB"), through("ABC")].sort());
	t.is(member?.keySince, "2026-01-02T03:04:05.000Z");
});

test("members › whose signatures or times are none have no later key", (t) => {
	const odd = (sig: string, value: unknown) => ({ ...register(HOST, "AB", value), sig });
	for (const sig of ["", ".", "x.y", `${through("AB")}.`, `${through("AB")}.x`, SIGNATURE]) {
		const member = memberIn({ keySince: [odd(sig, "\u001b[2J")] });
		t.deepEqual(member?.successions, [], sig);
		t.is(member?.keySince, null);
	}
});

test("members › this host's own document tells by which keys it has signed", (t) => {
	const { ownSuccessions } = membersOf(
		[document(SELF, { keySince: [register(SELF, "AB")], name: [register(HOST, "XY")] })],
		SELF,
		[],
	);
	t.deepEqual(ownSuccessions, [through("AB")]);
});
