import { absolutePath, guestPath, KnibError, rawName, shownName } from "@knib/core";
import test from "ava";
import fc from "fast-check";

const rawOf = (bytes: readonly number[]): string => String.fromCharCode(...bytes);
const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

test("shown name › is the name itself where it is printable text", (t) => {
	for (const name of ["hosts", "a b", "it's", "käse 日本 🙂", '"q"', "$HOME"]) {
		t.is(shownName(utf8(name)), name);
	}
});

test("shown name › has no control character, no turned text and no broken byte", (t) => {
	t.is(shownName("\u001b[31mred"), "\\x1b[31mred");
	t.is(shownName("two\nlines"), "two\\x0alines");
	t.is(shownName("\xff\xfe"), "\\xff\\xfe");
	t.is(shownName(utf8("\u202egnp.exe")), "\\xe2\\x80\\xaegnp.exe");
	t.is(shownName(utf8("\u0085")), "\\xc2\\x85");
	t.is(shownName("back\\slash"), "back\\\\slash");
});

test("shown name › given back names the same bytes, whatever they are", (t) => {
	const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 });
	t.notThrows(() =>
		fc.assert(fc.property(bytes, (some) => rawName(shownName(rawOf(some))) === rawOf(some))),
	);
});

test("raw name › refuses a backslash that escapes nothing, and text without bytes", (t) => {
	for (const shown of ["a\\b", "a\\", "\\x1", "\ud800"]) {
		t.is(t.throws(() => rawName(shown), { instanceOf: KnibError })?.code, "USAGE");
	}
});

test("guest path › is taken from the root, whatever slashes and dots it is written with", (t) => {
	t.deepEqual(guestPath("/etc//./hosts/"), ["etc", "hosts"]);
	t.deepEqual(guestPath("etc/hosts"), ["etc", "hosts"]);
	t.is(absolutePath(guestPath("/")), "/");
	t.is(absolutePath(guestPath("/a/b")), "/a/b");
});

test("guest path › leads through no `..`, holds no zero byte and is not endless", (t) => {
	const codeOf = (path: string) => t.throws(() => guestPath(path), { instanceOf: KnibError })?.code;
	t.is(codeOf("/etc/../../shadow"), "REFUSED");
	t.is(codeOf("\\x2e\\x2e/shadow"), "REFUSED");
	t.is(codeOf("/a\\x00b"), "USAGE");
	t.is(codeOf(""), "USAGE");
	t.is(codeOf(`/${"a".repeat(2000)}`), "USAGE");
});
