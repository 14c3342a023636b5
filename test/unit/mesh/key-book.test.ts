import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { openKeyBook } from "../../../apps/host-daemon/src/mesh/key-book.ts";
import { temporaryDirectory } from "../../support/store/temporary-directory.ts";

const HOST = "a".repeat(64);
const key = (letter: string): string => letter.repeat(43);
const SIGNATURE = "s".repeat(86);
const through = (letters: string): string => [...letters].map(key).join(`.${SIGNATURE}.`);
const shown = (letters: string) => ({ host: HOST, succession: through(letters) });

const aBook = async (path: string) => {
	const problems: unknown[] = [];
	return { book: await openKeyBook(path, (error) => problems.push(error)), problems };
};

test("key book › only ever goes on, over restarts too", async (t) => {
	const path = join(await temporaryDirectory(t), "keys.json");
	const { book, problems } = await aBook(path);
	t.is(book.known(HOST), undefined);
	t.false(book.learn(shown("A")), "that there is a first key is no news");
	t.true(book.learn(shown("ABC")));
	for (const [letters, why] of [
		["ABC", "the same"],
		["AB", "shorter"],
		["A", "the first"],
		["ABXY", "branched off"],
		["XBCD", "of another first key"],
	] as const) {
		t.false(book.learn(shown(letters)), why);
		t.is(book.known(HOST), through("ABC"), why);
	}
	await book.saved();
	const again = (await aBook(path)).book;
	t.is(again.known(HOST), through("ABC"));
	t.is(again.newer(shown("ABC")), undefined);
	t.is(again.newer(shown("ABCD")), undefined);
	t.is(again.newer(shown("AB")), through("ABC"));
	t.is(again.newer(shown("ABX")), through("ABC"));
	t.is(again.newer({ host: "b".repeat(64), succession: through("A") }), undefined);
	t.true(again.learn(shown("ABCD")));
	t.deepEqual(problems, []);
});

test("key book › that is damaged is told of and begun anew", async (t) => {
	const path = join(await temporaryDirectory(t), "keys.json");
	for (const text of ["", "{", "[]", '{"a":1}']) {
		await writeFile(path, text);
		const { book, problems } = await aBook(path);
		t.is(problems.length, 1, text);
		t.true(book.learn(shown("AB")));
		await book.saved();
		t.deepEqual(JSON.parse(await readFile(path, "utf8")), { [HOST]: through("AB") });
	}
});
