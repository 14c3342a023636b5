// The contract of the replica, over every implementation.
import { canonicalJson, type ReplicaDocument, sharedBody, writeFields } from "@knib/core";
import type { Replica } from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import { aSelf, REPLICAS } from "../support/store/replicas.ts";
import { ownedBy } from "../sync/hosts.ts";

const other = aSelf();
const third = aSelf();

const job = (id: string, ver: number, n: number | null, owner = other): ReplicaDocument =>
	ownedBy(owner.sign, {
		kind: "job",
		id,
		owner: owner.id,
		ver,
		body: n === null ? null : { n },
	});
const offering = (name: string, at: number, by = other): ReplicaDocument =>
	writeFields(
		{ way: "shared", kind: "offering", id: "o1", fields: {} },
		{ name },
		{ host: by.id, hlc: `00000000000${at}-0000`, sign: by.sign },
	);

type Act = (t: ExecutionContext, replica: Replica) => Promise<void>;

const PROMISES: Record<string, Act> = {
	"gives back what was merged, signed as it was": async (t, replica) => {
		const documents = [job("a", 1, 1), job("a", 2, 2, third), offering("gold", 1)];
		await replica.merge(documents);
		const texts = (all: readonly ReplicaDocument[]) => all.map(canonicalJson).sort();
		t.deepEqual(texts(await replica.list("job")), texts(documents.slice(0, 2)));
		t.deepEqual(await replica.list("offering"), documents.slice(2));
		for (const document of documents) t.true(replica.holds(document));
		t.false(replica.holds(job("a", 9, 9)));
	},
	"keeps the newer one, and writes nothing for what it has": async (t, replica) => {
		await replica.merge([job("a", 2, 2)]);
		const told: string[] = [];
		const end = replica.subscribe((kind) => told.push(kind));
		await replica.merge([job("a", 1, 1), job("a", 2, 2)]);
		t.deepEqual(told, []);
		await replica.merge([job("a", 3, 3)]);
		t.deepEqual(told, ["job"]);
		end();
		t.deepEqual(await replica.list("job"), [job("a", 3, 3)]);
	},
	"merges fields of several writers, also within one call": async (t, replica) => {
		await replica.merge([offering("gold", 1), offering("silver", 2, third)]);
		const [merged] = await replica.list("offering");
		t.is(merged?.way === "shared" ? sharedBody(merged)["name"] : "", "silver");
	},
	"reads its log from any checkpoint, in pages, each document once": async (t, replica) => {
		await replica.merge(Array.from({ length: 25 }, (_, n) => job(`j${n}`, n + 1, n)));
		const read = async (from?: { epoch: string; seq: number }) => {
			const ids: string[] = [];
			let checkpoint = from;
			for (let more = true; more; ) {
				const page = await replica.since("job", checkpoint, 4);
				ids.push(...page.documents.map(({ id }) => id));
				({ checkpoint, more } = page);
			}
			return { ids, checkpoint };
		};
		const first = await read();
		t.is(new Set(first.ids).size, 25);
		t.is(first.ids.length, 25);
		await replica.merge([job("j3", 99, 1)]);
		t.deepEqual((await read(first.checkpoint)).ids, ["j3"]);
		t.is((await read({ epoch: "another", seq: 1 })).ids.length, 25);
		t.is((await read({ epoch: replica.epoch, seq: 1e9 })).ids.length, 25);
	},
	"remembers how far a peer's log was read, and tells nobody": async (t, replica) => {
		await replica.merge([job("a", 1, 1)]);
		const at = (await replica.since("job", undefined, 10)).checkpoint;
		const checkpoint = { epoch: "theirs", seq: 7 };
		t.is(await replica.checkpoint(other.id, "job"), undefined);
		await replica.merge([], { peer: other.id, kind: "job", checkpoint });
		t.deepEqual(await replica.checkpoint(other.id, "job"), checkpoint);
		t.is(await replica.checkpoint(third.id, "job"), undefined);
		t.deepEqual((await replica.since("job", at, 10)).documents, []);
		t.is(replica.lag("job", at.seq).documents, 0);
		t.is((await replica.list("job")).length, 1);
	},
	"says what a reader does not have": async (t, replica) => {
		const before = Date.now();
		await replica.merge([job("a", 1, 1)]);
		const { seq } = (await replica.since("job", undefined, 10)).checkpoint;
		await replica.merge([job("b", 2, 1), job("c", 3, 1)]);
		const lag = replica.lag("job", seq);
		t.is(lag.documents, 2);
		t.true((lag.oldestAt ?? 0) >= before);
	},
	"sums up what it holds alike however it came there, without tombstones": async (t, replica) => {
		const empty = await replica.digest("job");
		await replica.merge([job("a", 1, 1), job("b", 2, 1)]);
		const two = await replica.digest("job");
		t.not(two, empty);
		await replica.merge([job("c", 3, 1)]);
		t.not(await replica.digest("job"), two);
		await replica.merge([job("c", 4, null)]);
		t.is(await replica.digest("job"), two);
	},
	"purges tombstones that are acknowledged and old, and nothing else": async (t, replica) => {
		await replica.merge([job("a", 1, 1), job("b", 2, null), job("c", 3, null)]);
		const later = Date.now() + 1000;
		const { seq } = (await replica.since("job", undefined, 2)).checkpoint;
		t.is(await replica.purge("job", seq, 0), 0);
		t.is(await replica.purge("job", seq, later), 1);
		t.deepEqual(new Set((await replica.list("job")).map(({ id }) => id)), new Set(["a", "c"]));
	},
};

for (const [name, open] of Object.entries(REPLICAS)) {
	for (const [promise, act] of Object.entries(PROMISES)) {
		test.serial(`replica › ${name} › ${promise}`, async (t) => {
			const { replica, close } = await open(t);
			try {
				await act(t, replica);
			} finally {
				await close();
			}
		});
	}
}
