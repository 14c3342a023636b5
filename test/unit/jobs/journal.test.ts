import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { JournalEntry } from "@knib/core";
import anyTest, { type TestFn } from "ava";
import { type Journal, openJournal } from "../../../apps/host-daemon/src/jobs/journal.ts";

const test = anyTest as TestFn<{ directory: string; file: string; journal: Journal }>;

const begin = (step: number): JournalEntry => ({ type: "begin", step });

test.beforeEach(async (t) => {
	const directory = await mkdtemp(join(tmpdir(), "knib-journal-"));
	const journal = await openJournal(directory);
	t.context = { directory, file: join(directory, "j.journal"), journal };
	const one = await journal.create("j");
	for (const step of [0, 1]) await one.append(begin(step));
	await one.leave();
});
test.afterEach.always((t) => rm(t.context.directory, { recursive: true, force: true }));

const entriesOf = async (journal: Journal) => {
	const [found] = await journal.unfinished();
	return found !== undefined && "entries" in found ? found.entries : found?.problem.code;
};

test("journal › gives back what was appended, until it is closed", async (t) => {
	const { journal } = t.context;
	t.deepEqual(await entriesOf(journal), [begin(0), begin(1)]);
	const again = await journal.reopen("j");
	await again.append(begin(2));
	await again.close();
	t.deepEqual(await journal.unfinished(), []);
});

test("journal › passes over a last line that is torn, wherever it is torn, and goes on after it", async (t) => {
	const { journal, file } = t.context;
	const whole = await readFile(file);
	const first = whole.indexOf("\n") + 1;
	for (let length = first; length < whole.length; length += 1) {
		await writeFile(file, whole.subarray(0, length));
		t.deepEqual(await entriesOf(journal), [begin(0)], `torn after ${length} bytes`);
		const again = await journal.reopen("j");
		await again.append(begin(7));
		await again.leave();
		t.deepEqual(await entriesOf(journal), [begin(0), begin(7)], `torn after ${length} bytes`);
	}
});

test("journal › does not guess when a line in the middle is damaged", async (t) => {
	const { journal, file } = t.context;
	const text = await readFile(file, "utf8");
	await writeFile(file, text.replace('"step":0', '"step":1'));
	t.is(await entriesOf(journal), "JOURNAL_CORRUPT");
	await t.throwsAsync(journal.reopen("j"), { message: /cannot be read at line 1/ });
});

test("journal › does not pass over a whole last line that it does not know", async (t) => {
	const { journal, file } = t.context;
	const text = JSON.stringify({ type: "of a later version" });
	await appendFile(file, `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`);
	t.is(await entriesOf(journal), "JOURNAL_CORRUPT");
});

test("journal › of one job that cannot be read hides no other", async (t) => {
	const { journal, directory } = t.context;
	await writeFile(join(directory, "a.journal"), "no journal\nat all\n");
	const found = await journal.unfinished();
	t.deepEqual(
		found.map((one) => [one.job, "problem" in one]),
		[
			["a", true],
			["j", false],
		],
	);
});
