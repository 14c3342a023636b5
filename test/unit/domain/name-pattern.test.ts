import { matchesName } from "@knib/core";
import test from "ava";
import fc from "fast-check";

/** What a pattern means, as a regular expression: fine for short texts, slow without bound for hostile ones. */
const byExpression = (pattern: string, name: string): boolean => {
	const source = [...pattern].map((one) => ({ "*": ".*", "?": "." })[one] ?? `\\u{${hex(one)}}`);
	return new RegExp(`^${source.join("")}$`, "su").test(name);
};
const hex = (one: string): string => (one.codePointAt(0) ?? 0).toString(16);

const letters = (...more: readonly string[]) =>
	fc.string({ unit: fc.constantFrom("a", "b", ".", "\n", "é", "😀", ...more), maxLength: 8 });

test("matchesName › says what the regular expression would", (t) => {
	fc.assert(
		fc.property(letters("*", "?"), letters(), (pattern, name) => {
			t.is(matchesName(pattern, name), byExpression(pattern, name), `${pattern} ${name}`);
		}),
		{ numRuns: 2000 },
	);
});

test("matchesName › a pattern full of stars is no work without end", (t) => {
	const name = "a".repeat(5000);
	t.false(matchesName(`${"a*".repeat(99)}b`, name));
	t.true(matchesName(`${"a*".repeat(99)}a`, name));
});
