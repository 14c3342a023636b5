// The contract of LogBackend, over every implementation.
import type { LogBackend, LogEntry, OpenLog } from "@knib/sync";
import test from "ava";
import { LOG_BACKENDS } from "../support/store/logs.ts";
import { type Random, randomFor } from "../support/store/random.ts";

const put = (key: string, value: object = { of: key }) => ({ key, value });

const reopen = async (log: LogBackend, open: OpenLog): Promise<LogBackend> => {
	await log.close();
	return open();
};

const everything = async (open: OpenLog): Promise<readonly LogEntry[]> => {
	const log = await open();
	try {
		return log.take("");
	} finally {
		await log.close();
	}
};

/** What a log should hold, and the highest number it gave out. */
type Model = { readonly entries: Map<string, { seq: number; value: object }>; lastSeq: number };

const entriesOf = ({ entries }: Model): readonly LogEntry[] =>
	[...entries].map(([key, { seq, value }]) => ({ key, seq, value })).sort((a, b) => a.seq - b.seq);

const randomWrite = async (log: LogBackend, model: Model, random: Random): Promise<void> => {
	const keys = random.some(1 + random.below(12), 80).map((n) => `c:${n % 3}/%F0${n}`);
	const isPut = keys.map(() => random.below(3) > 0);
	const puts = keys
		.filter((_, at) => isPut[at])
		.map((key) => put(key, { n: random.below(1e9), text: "ü🚀\u0000".repeat(random.below(40)) }));
	const purges = keys.filter((_, at) => !isPut[at]);
	const first = await log.write({ puts, purges });
	for (const [at, { key, value }] of puts.entries()) {
		model.entries.set(key, { seq: first + at, value });
	}
	for (const key of purges) model.entries.delete(key);
	if (puts.length > 0 && first <= model.lastSeq) throw new Error("a number was given out twice");
	model.lastSeq = Math.max(model.lastSeq, first + puts.length - 1);
};

for (const [name, make] of Object.entries(LOG_BACKENDS)) {
	test(`${name} log › gives back what was written, oldest write first`, async (t) => {
		const open = await make(t);
		const log = await open();
		t.deepEqual(log.take(""), []);
		const first = await log.write({ puts: [put("b"), put("a")], purges: [] });
		const second = await log.write({ puts: [put("b", { again: true })], purges: [] });
		t.true(second > first + 1);
		t.is(log.lastSeq, second);
		await log.close();
		t.deepEqual(await everything(open), [
			{ key: "a", seq: first + 1, value: { of: "a" } },
			{ key: "b", seq: second, value: { again: true } },
		]);
	});

	test(`${name} log › hands over each entry once, by prefix, as it was at opening`, async (t) => {
		const open = await make(t);
		let log = await open();
		await log.write({ puts: [put("x/1"), put("x/2"), put("y/1")], purges: [] });
		log = await reopen(log, open);
		await log.write({ puts: [put("x/1", { later: true })], purges: [] });
		const taken = log.take("x/").map(({ key, value }) => ({ key, value }));
		t.deepEqual(taken, [put("x/1"), put("x/2")]);
		t.deepEqual(log.take("x/"), []);
		t.is(log.take("").length, 1);
		await log.close();
	});

	test(`${name} log › forgets purged keys, and takes them again`, async (t) => {
		const open = await make(t);
		let log = await open();
		await log.write({ puts: [put("a"), put("b")], purges: [] });
		await log.write({ puts: [], purges: ["a", "never there"] });
		log = await reopen(log, open);
		t.deepEqual(
			log.take("").map(({ key }) => key),
			["b"],
		);
		await log.write({ puts: [put("a", { second: true })], purges: ["b"] });
		await log.close();
		t.deepEqual(
			(await everything(open)).map(({ value }) => value),
			[{ second: true }],
		);
	});

	test(`${name} log › never gives a number out twice, also when the newest entry is purged`, async (t) => {
		const open = await make(t);
		let log = await open();
		const first = await log.write({ puts: [put("a"), put("b")], purges: [] });
		await log.write({ puts: [], purges: ["a", "b"] });
		log = await reopen(log, open);
		t.true(log.lastSeq >= first + 1);
		t.true((await log.write({ puts: [put("c")], purges: [] })) > first + 1);
		await log.close();
	});

	test(`${name} log › keeps its epoch, which no other log has`, async (t) => {
		const open = await make(t);
		const log = await open();
		const other = await (await make(t))();
		const { epoch } = log;
		t.not(epoch, other.epoch);
		await other.close();
		t.is((await reopen(log, open)).epoch, epoch);
	});

	test(`${name} log › is open once at a time`, async (t) => {
		const open = await make(t);
		const log = await open();
		await t.throwsAsync(open, { code: "STORE_LOCKED" });
		await log.write({ puts: [put("a")], purges: [] });
		await log.close();
		await log.close();
		await t.throwsAsync(log.write({ puts: [put("b")], purges: [] }), { code: "STORE_FAILED" });
		t.is((await everything(open)).length, 1);
	});

	test(`${name} log › equals a model over random writes, purges and reopening`, async (t) => {
		const random = randomFor(t);
		const open = await make(t);
		const model: Model = { entries: new Map(), lastSeq: 0 };
		for (let session = 0; session < 12; session++) {
			const log = await open();
			t.true(log.lastSeq >= model.lastSeq);
			t.deepEqual(log.take(""), entriesOf(model));
			for (let writes = random.below(25); writes > 0; writes--) {
				await randomWrite(log, model, random);
			}
			await log.close();
		}
	});
}
