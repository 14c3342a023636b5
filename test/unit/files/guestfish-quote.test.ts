import { KnibError } from "@knib/core";
import test from "ava";
import fc from "fast-check";
import {
	commandLine,
	quoted,
	quotedLocal,
} from "../../../apps/host-daemon/src/files/guestfish-quote.ts";

/** The bytes that guestfish reads out of a quoted word. */
const read = (word: string): string =>
	Buffer.from(word, "utf8")
		.toString("latin1")
		.slice(1, -1)
		.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
			String.fromCharCode(Number.parseInt(hex, 16)),
		);

test("guestfish word › ends nowhere but at its own quote and holds the bytes of the name", (t) => {
	const bytes = fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 60 });
	t.notThrows(() =>
		fc.assert(
			fc.property(bytes, (some) => {
				const raw = String.fromCharCode(...some);
				const word = quoted(raw);
				return !/["\n\r]/.test(word.slice(1, -1)) && read(word) === raw;
			}),
		),
	);
});

test("guestfish word › takes a name that looks like an escape for what it is", (t) => {
	t.is(quoted("\\x41"), '"\\x5cx41"');
	t.is(quoted('say "hi"'), '"say \\x22hi\\x22"');
	t.is(quotedLocal("/täg"), '"/täg"');
});

test("guestfish line › is refused where guestfish would take its end for another command", (t) => {
	const word = quoted(`/${"a".repeat(1900)}`);
	t.is(commandLine("lstatns", word), `lstatns ${word}`);
	const long = quoted(`/${"\x01".repeat(600)}`);
	t.is(t.throws(() => commandLine("lstatns", long), { instanceOf: KnibError })?.code, "USAGE");
	t.throws(() => commandLine("lstatns", "a\nb"), { instanceOf: KnibError });
});
