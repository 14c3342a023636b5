import {
	escapeControl,
	type GuestExec,
	judgeCommand,
	KnibError,
	splitArguments,
	toBase64,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";

const ended = (stdout: string, override: Partial<GuestExec> = {}): GuestExec => ({
	exitCode: 0,
	signal: null,
	stdout: Buffer.from(stdout),
	stderr: new Uint8Array(),
	truncated: false,
	...override,
});

test("judgeCommand › takes exit code 0 for success when nothing else is expected", (t) => {
	t.true(judgeCommand(ended("ababa\n"), "0").ok);
	t.true(judgeCommand(ended(""), "0").ok);
	t.false(judgeCommand(ended("ababa\n", { exitCode: 1 }), "0").ok);
	t.false(judgeCommand(ended("", { exitCode: null, signal: 9 }), "0").ok);
});

test("judgeCommand › compares the base64 of the output exactly when a text is expected", (t) => {
	t.true(judgeCommand(ended("ababa\n"), "YWJhYmEK").ok);
	t.false(judgeCommand(ended("ababa"), "YWJhYmEK").ok);
	t.false(judgeCommand(ended("ababa\n\n"), "YWJhYmEK").ok);
	const wrong = judgeCommand(ended("ababa\n"), "absduiYWJhYmEK");
	t.false(wrong.ok);
	t.regex(wrong.message, /YWJhYmEK.*absduiYWJhYmEK/);
});

test("judgeCommand › compares the output whatever the exit code, and never a cut one", (t) => {
	t.true(judgeCommand(ended("ababa\n", { exitCode: 3 }), "YWJhYmEK").ok);
	t.false(judgeCommand(ended("ababa\n", { truncated: true }), "YWJhYmEK").ok);
});

test("toBase64 › agrees with Node's for any bytes", (t) => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
			t.is(toBase64(bytes), Buffer.from(bytes).toString("base64"));
		}),
	);
});

const split = test.macro({
	exec: (t, text: string, expected: readonly string[]) =>
		t.deepEqual(splitArguments(text), expected),
	title: (name = "") => `splitArguments › ${name}`,
});
test("separates by spaces", split, "  a  b\tc ", ["a", "b", "c"]);
test("groups by quotes", split, `-c "echo 'x y'" 'a "b"'`, ["-c", "echo 'x y'", 'a "b"']);
test("keeps empty words that are quoted", split, `'' ""`, ["", ""]);
test("takes the character after a backslash as it is", split, 'a\\ b \\"', ["a b", '"']);
test("expands nothing", split, "$HOME * ~ `id`", ["$HOME", "*", "~", "`id`"]);
test("keeps a Windows path in double quotes", split, `"C:\\Program Files\\x.exe"`, [
	"C:\\Program Files\\x.exe",
]);

test("splitArguments › refuses a quote that is not closed", (t) => {
	t.is(t.throws(() => splitArguments("a 'b"), { instanceOf: KnibError })?.code, "SETTING_INVALID");
});

test("escapeControl › leaves text, lines and tabs and names everything else", (t) => {
	t.is(escapeControl("ä\tb\nc"), "ä\tb\nc");
	t.is(escapeControl("\u001b[31mred\r\u0000\u202e"), "\\u{1b}[31mred\\u{d}\\u{0}\\u{202e}");
});
