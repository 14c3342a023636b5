import test from "ava";
import fc from "fast-check";
import { errorText } from "../../../apps/cli/src/print/error.ts";
import { jsonDocument, jsonLine } from "../../../apps/cli/src/print/json.ts";
import { createProgressBar, progressLine } from "../../../apps/cli/src/print/progress.ts";
import { facts, table } from "../../../apps/cli/src/print/table.ts";
import { duration, safe, size } from "../../../apps/cli/src/print/text.ts";

const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const anyText = fc.string({ unit: "binary" });

test("safe › leaves no control character of any text", (t) => {
	fc.assert(fc.property(anyText, (text) => !CONTROL.test(safe(text))));
	t.is(safe("a\u001b[2Jb\u009b1m\u202eevil\n"), "a\\x1b[2Jb\\x9b1m\\u202eevil\\x0a");
	t.is(safe("größe 日本 🙂"), "größe 日本 🙂");
});

test("json › stays the same value and holds no control character but line breaks", (t) => {
	fc.assert(
		fc.property(fc.jsonValue(), anyText, (value, text) => {
			const all = { value, text };
			const document = jsonDocument(all);
			const same = JSON.stringify(JSON.parse(document)) === JSON.stringify(all);
			return same && !CONTROL.test(jsonLine(all)) && !CONTROL.test(document.replaceAll("\n", ""));
		}),
	);
	t.pass();
});

test("table › aligns text left and numbers right, without trailing blanks", (t) => {
	const rows = [
		{ name: "web01", count: 7 },
		{ name: "a\u001b[31m", count: 1234 },
	];
	const text = table(rows, [
		{ head: "NAME", cell: (row) => row.name },
		{ head: "COUNT", cell: (row) => row.count },
		{ head: "NOTE", cell: () => null },
	]);
	t.is(text, ["NAME       COUNT  NOTE", "web01          7  -", "a\\x1b[31m   1234  -"].join("\n"));
});

test("facts › leaves out what there is none of", (t) => {
	t.is(
		facts([
			["name", "web01"],
			["reason", null],
			["size", 3],
		]),
		"name  web01\nsize  3",
	);
});

test("size and duration › are short and exact at their borders", (t) => {
	t.deepEqual([0, 1, 1023, 1024, 1024 ** 3, 1.5 * 1024 ** 4].map(size), [
		"0 B",
		"1 B",
		"1023 B",
		"1.0 KiB",
		"1.0 GiB",
		"1.5 TiB",
	]);
	t.deepEqual([0, 32_000, 3_723_000].map(duration), ["0:00", "0:32", "1:02:03"]);
});

test("errorText › says what failed, the candidates, and what to do next", (t) => {
	const text = errorText({
		code: "AMBIGUOUS_ID",
		message: "beef matches 2 backups",
		hint: "give more of the id",
		details: { candidates: ["1 web01", "2 \u001bweb02"] },
	});
	t.is(
		text,
		"knib: beef matches 2 backups\n  1 web01\n  2 \\x1bweb02\n  next: give more of the id\n  (AMBIGUOUS_ID)",
	);
});

const event = {
	type: "progress",
	job: "j",
	phase: { name: "copy-layer", index: 3, count: 12 },
	progress: { done: 512, total: 1024, unit: "bytes", rate: 128, etaMs: 4000 },
} as const;

test("progressLine › shows phase, bar, amounts, rate and time left", (t) => {
	t.is(
		progressLine(event),
		"3/12 copy-layer  [############------------] 50%  512 B of 1.0 KiB  128 B/s  ETA 0:04",
	);
	const { progress } = event;
	t.notThrows(() => progressLine({ ...event, phase: null, progress: { ...progress, total: 0 } }));
});

test("createProgressBar › writes to a terminal only, and cleans up after itself", (t) => {
	const written: string[] = [];
	const bar = (isTTY: boolean) =>
		createProgressBar({ isTTY, columns: 40, write: (text: string) => written.push(text) });
	const file = bar(false);
	file.show("x");
	file.clear();
	t.deepEqual(written, []);
	const terminal = bar(true);
	terminal.show("y".repeat(100));
	terminal.clear();
	terminal.clear();
	t.deepEqual(written, [`\r\u001b[K${"y".repeat(39)}`, "\r\u001b[K"]);
});
