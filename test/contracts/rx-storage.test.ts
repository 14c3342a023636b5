// The RxStorage over every log: its promises one by one, and all of them together under chance.
import test, { type ExecutionContext } from "ava";
import { createDurableStorage } from "../../packages/sync/src/storage/durable-storage.ts";
import { createMemoryLogs } from "../../packages/sync/src/storage/memory-log.ts";
import { LOG_BACKENDS } from "../support/store/logs.ts";
import { type Random, randomFor } from "../support/store/random.ts";
import {
	type Checkpoint,
	IDS,
	type Instance,
	openItems,
	openItemsOn,
	queryRange,
	readSince,
	rowOver,
	type StoredItem,
	stateOf,
	writeSome,
} from "../support/store/rx-model.ts";

type Replica = { documents: Map<string, StoredItem>; checkpoint: Checkpoint | undefined };

const truthOf = async (instance: Instance): Promise<readonly StoredItem[]> =>
	instance.findDocumentsById([...IDS], true);

const applyTo = (documents: Map<string, StoredItem>, changed: readonly StoredItem[]): void => {
	for (const document of changed) documents.set(document.id, document);
};

/** Follows the change stream from the present on, and notes the order of its checkpoints. */
const follow = async (instance: Instance) => {
	const replica = new Map<string, StoredItem>();
	applyTo(replica, await truthOf(instance));
	const seqs: number[] = [];
	const subscription = instance.changeStream().subscribe(({ events, checkpoint }) => {
		for (const { documentData } of events) replica.set(documentData.id, documentData);
		seqs.push(checkpoint.seq);
	});
	return { replica, seqs, subscription };
};

const checkQueries = async (t: ExecutionContext, instance: Instance, random: Random) => {
	const live = (await truthOf(instance)).filter(({ _deleted }) => !_deleted);
	for (let n = 0; n < 10; n++) {
		const from = random.below(1000);
		const to = from + random.below(300);
		const expected = live.filter(({ v }) => v >= from && v < to).map(({ id }) => id);
		t.deepEqual([...(await queryRange(instance, from, to))].sort(), expected.sort());
	}
};

const runSession = async (
	t: ExecutionContext,
	instance: Instance,
	random: Random,
	late: Replica,
): Promise<void> => {
	const { replica, seqs, subscription } = await follow(instance);
	const worker = async () => {
		for (let n = 0; n < 40; n++) await writeSome(instance, random);
	};
	await Promise.all([worker(), worker(), worker(), worker()]);
	subscription.unsubscribe();
	const truth = stateOf(await truthOf(instance));
	t.deepEqual(stateOf(replica.values()), truth, "the change stream leads to the state");
	t.true(seqs.every((seq, at) => at === 0 || seq > (seqs[at - 1] ?? 0)));
	const limit = () => 1 + random.below(9);
	const whole = await readSince(instance, undefined, limit);
	t.deepEqual(
		stateOf(whole.documents),
		truth,
		"paging from the start is complete, without repeats",
	);
	const rest = await readSince(instance, late.checkpoint, limit);
	applyTo(late.documents, rest.documents);
	t.deepEqual(stateOf(late.documents.values()), truth, "resuming in a later session is exact");
	late.checkpoint = rest.checkpoint;
	await checkQueries(t, instance, random);
};

for (const [name, make] of Object.entries(LOG_BACKENDS)) {
	test(`RxStorage on ${name} › equals its model over random writes, cleanup and reopening`, async (t) => {
		const random = randomFor(t);
		const open = await make(t);
		const late: Replica = { documents: new Map(), checkpoint: undefined };
		for (let session = 0; session < 6; session++) {
			const log = await open();
			const instance = await openItemsOn(log);
			if (session > 0)
				t.deepEqual(stateOf(late.documents.values()), stateOf(await truthOf(instance)));
			await runSession(t, instance, random, late);
			if (session % 3 === 1) {
				await instance.cleanup(0);
				t.false((await truthOf(instance)).some(({ _deleted }) => _deleted));
				for (const [id, { _deleted }] of late.documents) if (_deleted) late.documents.delete(id);
			}
			await instance.close();
			await log.close();
		}
	});
}

test("RxStorage › starts a reader of another epoch, or from the future, at the beginning", async (t) => {
	const log = await createMemoryLogs("here").open();
	const instance = await openItemsOn(log);
	await instance.bulkWrite([rowOver(undefined, { id: "a", v: 1 })], "test");
	for (const checkpoint of [
		{ epoch: "there", seq: 1 },
		{ epoch: "here", seq: 99 },
	]) {
		t.is((await readSince(instance, checkpoint, () => 10)).documents.length, 1);
	}
	t.is((await readSince(instance, { epoch: "here", seq: 1 }, () => 10)).documents.length, 0);
});

test("RxStorage › keeps a collection that is closed and opened on the same log", async (t) => {
	const log = await createMemoryLogs("e").open();
	const storage = createDurableStorage(log, () => undefined);
	const open = () => openItems(storage);
	const instance = await open();
	await instance.bulkWrite([rowOver(undefined, { id: "a", v: 1 })], "test");
	await t.throwsAsync(open(), { message: /open already/ });
	await instance.close();
	const again = await open();
	t.is((await again.findDocumentsById(["a"], false)).length, 1);
	await again.remove();
	t.is((await (await open()).findDocumentsById(["a"], true)).length, 0);
});

test("RxStorage › rejects everything once the log has failed, and says so once", async (t) => {
	const logs = createMemoryLogs("e");
	const fatal: string[] = [];
	const storage = createDurableStorage(await logs.open(), ({ code }) => fatal.push(code));
	const instance = await openItems(storage);
	const write = (id: string) => instance.bulkWrite([rowOver(undefined, { id, v: 1 })], "test");
	await write("a");
	logs.failWrites(new Error("ENOSPC: no space left on device"));
	const outcomes = await Promise.allSettled(["b", "c", "d"].map(write));
	t.true(outcomes.every(({ status }) => status === "rejected"));
	logs.failWrites(undefined);
	for (const act of [() => write("e"), () => instance.findDocumentsById(["a"], false)]) {
		await t.throwsAsync(act, { code: "STORE_FULL" });
	}
	t.deepEqual(fatal, ["STORE_FULL"]);
	await instance.close();
});

test("RxStorage › rejects a write that cannot be prepared, and goes on", async (t) => {
	const log = await createMemoryLogs("e").open();
	const instance = await openItemsOn(log);
	const write = (...ids: string[]) =>
		instance.bulkWrite(
			ids.map((id) => rowOver(undefined, { id, v: 1 })),
			"test",
		);
	await t.throwsAsync(write("\ud800"), { instanceOf: URIError });
	await t.throwsAsync(write("a", "a"), { instanceOf: TypeError });
	await write("a");
	t.is(log.lastSeq, 1);
});
