import { KnibError } from "@knib/core";
import test from "ava";
import { changesOf, fieldsOf, parseRetention } from "../../../apps/cli/src/offering-flags.ts";

test("changesOf › names only what was given, and null for what is taken away", (t) => {
	t.deepEqual(changesOf({}), {});
	t.deepEqual(changesOf({ compress: false, "chain-size": "none", retention: "none" }), {
		compress: false,
		backupChainSize: null,
		retention: null,
	});
	t.deepEqual(fieldsOf({ "chain-size": "none", repository: "nas" }), { repository: "nas" });
	t.deepEqual(changesOf({ "chain-size": "-1" }), { backupChainSize: -1 });
});

test("parseRetention › reads rules, with keepWithin as a duration", (t) => {
	t.deepEqual(parseRetention("keepLast=7,keepWithin=36h"), {
		keepLast: 7,
		keepWithin: 129_600_000,
	});
	t.deepEqual(parseRetention("keepWithin=1"), { keepWithin: 86_400_000 });
	for (const text of ["", "keepLast", "keepLast=x", "keepForever=1", "keepLast=7,"]) {
		t.is(t.throws(() => parseRetention(text), { instanceOf: KnibError })?.code, "USAGE", text);
	}
});

test("parseRetention › names the flag that was wrong", (t) => {
	t.regex(t.throws(() => parseRetention("keep=7", "keep"))?.message ?? "", /^--keep keep=7 is no/);
});
