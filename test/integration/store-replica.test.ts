// The durable replica over restarts, of a store of the first format, and of a store that was lost.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mergeDocuments, type ReplicaDocument, registerText, sharedConflicts } from "@knib/core";
import { createVerifier } from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import { aSelf, openReplicated } from "../support/store/replicas.ts";
import { openStoreIn } from "../support/store/stores.ts";
import { temporaryDirectory } from "../support/store/temporary-directory.ts";

const aDirectory = async (t: ExecutionContext): Promise<string> => {
	const dir = join(await temporaryDirectory(t), "store");
	await mkdir(dir, { mode: 0o700 });
	return dir;
};

const sharedIn = (documents: readonly ReplicaDocument[]) => {
	const [found] = documents;
	if (found?.way === "shared") return found;
	throw new Error("no shared document");
};

test.serial(
	"replicated store › keeps others' documents apart from its own, over a restart",
	async (t) => {
		const [self, other] = [aSelf(), aSelf()];
		const dir = await aDirectory(t);
		const theirs = await openReplicated(t, await aDirectory(t), other);
		await theirs.put("vm", "same", { of: "other" });
		await theirs.put("vm", "gone", {});
		await theirs.remove("vm", "gone");
		const sent = await theirs.replica.list("vm");
		await theirs.close();

		const store = await openReplicated(t, dir, self);
		await store.put("vm", "same", { of: "self" });
		const checkpoint = { epoch: "theirs", seq: 3 };
		await store.replica.merge(sent, { peer: other.id, kind: "vm", checkpoint });
		const digest = await store.replica.digest("vm");
		await store.close();

		const again = await openReplicated(t, dir, self);
		t.deepEqual(
			(await again.list("vm")).map(({ body }) => body),
			[{ of: "self" }],
		);
		const foreign = await again.foreign("vm");
		t.like(foreign, [{ id: "same", owner: other.id, body: { of: "other" } }]);
		t.deepEqual(await again.replica.checkpoint(other.id, "vm"), checkpoint);
		t.is(await again.replica.digest("vm"), digest);
		t.is((await again.replica.list("vm")).length, 3);
		await again.close();
	},
);

test.serial("replicated store › signs what it has when it is asked, alike each time", async (t) => {
	const self = aSelf();
	const store = await openReplicated(t, await aDirectory(t), self);
	await store.put("setting", "cluster", { id: "cluster", values: { "jobs.keep": 3 } });
	const document = sharedIn(await store.replica.list("setting"));
	const verify = createVerifier();
	for (const [field, registers] of Object.entries(document.fields)) {
		for (const one of registers)
			t.true(verify(self.id, registerText(document, field, one), one.sig));
	}
	t.deepEqual(Object.keys(document.fields).sort(), ["id", "values:jobs.keep"]);
	t.deepEqual(await store.replica.list("setting"), [document]);
	await store.close();
});

test.serial(
	"replicated store › merges different settings of one scope without a conflict",
	async (t) => {
		const [a, b] = [aSelf(), aSelf()];
		const first = await openReplicated(t, await aDirectory(t), a);
		await first.put("setting", "cluster", { id: "cluster", values: { one: 1 } });
		const sent = await first.replica.list("setting");
		await first.close();
		const second = await openReplicated(t, await aDirectory(t), b);
		await second.put("setting", "cluster", { id: "cluster", values: { two: 2 } });
		await second.replica.merge(sent);
		t.deepEqual((await second.get("setting", "cluster"))?.body, {
			id: "cluster",
			values: { one: 1, two: 2 },
		});
		t.deepEqual(sharedConflicts(sharedIn(await second.replica.list("setting"))), []);
		await second.put("setting", "cluster", { id: "cluster", values: { two: 2 } });
		t.deepEqual((await second.get("setting", "cluster"))?.body["values"], { two: 2 });
		await second.remove("setting", "cluster");
		t.is(await second.get("setting", "cluster"), undefined);
		await second.put("setting", "cluster", { id: "cluster", values: { two: 5 } });
		t.deepEqual((await second.get("setting", "cluster"))?.body["values"], { two: 5 });
		await second.close();
	},
);

test.serial(
	"replicated store › takes over a store of format 1, which is then no longer one",
	async (t) => {
		const dir = await aDirectory(t);
		const old = await openStoreIn(t, dir);
		await old.put("offering", "o1", { id: "o1", name: "gold", compress: true });
		await old.put("vm", "v1", { n: 1 });
		await old.put("repository", "r1", { id: "r1" });
		await old.remove("repository", "r1");
		await old.close();
		const marker = join(dir, "store.json");
		await writeFile(marker, (await readFile(marker, "utf8")).replace('"version":2', '"version":1'));

		const self = aSelf();
		const store = await openReplicated(t, dir, self);
		t.deepEqual((await store.get("offering", "o1"))?.body, {
			id: "o1",
			name: "gold",
			compress: true,
		});
		t.is(await store.get("repository", "r1"), undefined);
		t.like(await store.replica.list("vm"), [{ owner: self.id, body: { n: 1 } }]);
		await store.put("offering", "o1", { id: "o1", name: "silver", compress: true });
		t.is((await store.get("offering", "o1"))?.body["name"], "silver");
		const [document] = await store.replica.list("offering");
		t.deepEqual(document === undefined ? null : mergeDocuments(document, document), document);
		await store.close();
		t.regex(await readFile(marker, "utf8"), /"version":2/);
	},
);

test.serial(
	"replicated store › that was lost gets back what peers have, and wins with what it wrote since",
	async (t) => {
		const self = aSelf();
		let now = Date.now();
		const before = await openReplicated(t, await aDirectory(t), self, () => now);
		for (let n = 0; n < 50; n++) await before.put("vm", "kept", { n });
		await before.put("vm", "changed", { old: true });
		const peersCopy = await before.replica.list("vm");
		await before.close();
		now += 60_000;
		const store = await openReplicated(t, await aDirectory(t), self, () => now);
		await store.put("vm", "changed", { old: false });
		await store.replica.merge(peersCopy);
		t.deepEqual((await store.get("vm", "kept"))?.body, { n: 49 });
		t.deepEqual((await store.get("vm", "changed"))?.body, { old: false });
		await store.close();
	},
);
