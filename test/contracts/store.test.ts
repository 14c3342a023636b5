// The contract of the store, over every implementation.
import { DOCUMENT_KINDS, envelopeSchema, type Store, type StoreChange } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { randomFor } from "../support/store/random.ts";
import { OWNER, STORES } from "../support/store/stores.ts";

const ids = async (store: Store, kind: "vm" | "job"): Promise<readonly string[]> =>
	(await store.list(kind)).map(({ id }) => id);

const summary = (change: StoreChange): string => `${change.type} ${change.document.id}`;

type Act = (t: ExecutionContext, store: Store) => Promise<void>;

const PROMISES: Record<string, Act> = {
	"gives back what was put, in its envelope": async (t, store) => {
		const body = { name: "web01", disks: [{ target: "vda" }], none: null, left: undefined };
		const put = await store.put("vm", "a", body);
		const expected = { id: "a", kind: "vm", owner: OWNER, ver: put.ver, sig: "" };
		const stored = { name: "web01", disks: [{ target: "vda" }], none: null };
		t.deepEqual(put, { ...expected, kind: "vm", body: stored });
		t.deepEqual(await store.get("vm", "a"), put);
		t.true(envelopeSchema.safeParse(put).success);
		t.is(await store.get("vm", "b"), undefined);
		t.is(await store.get("job", "a"), undefined);
	},
	"keeps every kind apart, and lists by id": async (t, store) => {
		for (const kind of DOCUMENT_KINDS) await store.put(kind, `the ${kind}`, { kind });
		for (const kind of DOCUMENT_KINDS) {
			t.deepEqual(
				(await store.list(kind)).map(({ body }) => body),
				[{ kind }],
			);
		}
		await store.putMany("vm", [
			{ id: "zz", body: {} },
			{ id: "🚀", body: {} },
			{ id: "a b", body: {} },
			{ id: "a", body: {} },
		]);
		t.deepEqual(await ids(store, "vm"), ["a", "a b", "the vm", "zz", "🚀"]);
	},
	"gives each write a version of its own, always higher": async (t, store) => {
		const vers: number[] = [];
		store.subscribe("all", ({ document }) => vers.push(document.ver));
		await store.put("vm", "a", {});
		await store.put("job", "a", {});
		await store.putMany("vm", [
			{ id: "a", body: {} },
			{ id: "b", body: {} },
		]);
		await store.remove("vm", "a");
		await store.put("vm", "a", {});
		t.is(vers.length, 6);
		t.deepEqual(
			vers,
			[...new Set(vers)].sort((a, b) => a - b),
		);
	},
	"removes, more than once too, and takes the id again": async (t, store) => {
		await store.put("vm", "a", { n: 1 });
		await store.remove("vm", "a");
		await store.remove("vm", "a");
		await store.remove("vm", "never there");
		t.is(await store.get("vm", "a"), undefined);
		t.deepEqual(await ids(store, "vm"), []);
		await store.put("vm", "a", { n: 2 });
		t.deepEqual((await store.get("vm", "a"))?.body, { n: 2 });
	},
	"copies and freezes what it is given": async (t, store) => {
		const body = { list: [{ n: 1 }] };
		await store.put("vm", "a", body);
		body.list.push({ n: 2 });
		const found = await store.get("vm", "a");
		t.deepEqual(found?.body, { list: [{ n: 1 }] });
		const list = found?.body["list"];
		t.throws(() => Array.isArray(list) && list.push(1), { instanceOf: TypeError });
	},
	"tells listeners of their kind, in order, before the writer": async (t, store) => {
		const told: string[] = [];
		const stop = store.subscribe("vm", (change) => told.push(summary(change)));
		const all: StoreChange[] = [];
		store.subscribe("all", (change) => all.push(change));
		await store.put("vm", "a", {}).then(() => told.push("writer"));
		await store.put("job", "j", {});
		await store.remove("vm", "a");
		t.deepEqual(told, ["put a", "writer", "removed a"]);
		t.deepEqual(all.map(summary), ["put a", "put j", "removed a"]);
		t.false("body" in (all[2]?.document ?? {}));
		stop();
		await store.put("vm", "b", {});
		t.is(told.length, 3);
	},
	"keeps the order of writes to one document that were not waited for": async (t, store) => {
		const told: string[] = [];
		store.subscribe("all", (change) =>
			told.push(change.type === "put" ? String(change.document.body["n"]) : "gone"),
		);
		await Promise.all([
			store.put("vm", "a", { n: 1 }),
			store.put("vm", "a", { n: 2 }),
			store.remove("vm", "a"),
			store.put("vm", "a", { n: 3 }),
			store.remove("vm", "a"),
		]);
		t.deepEqual(told, ["1", "2", "gone", "3", "gone"]);
		t.deepEqual(await ids(store, "vm"), []);
	},
	"refuses ids and bodies that cannot be kept, and writes none of the others": async (t, store) => {
		const good = { id: "good", body: {} };
		for (const id of ["", "a\n", "\ud800", "trailing ", "x".repeat(129)]) {
			await t.throwsAsync(store.putMany("vm", [good, { id, body: {} }]), { code: "INTERNAL" });
		}
		const bad = [{ n: 1n }, Object.assign([1])];
		for (const body of bad) await t.throwsAsync(store.put("vm", "a", body), { code: "INTERNAL" });
		await t.throwsAsync(store.putMany("vm", [good, good]), { code: "INTERNAL" });
		t.deepEqual(await ids(store, "vm"), []);
		t.deepEqual(await store.putMany("vm", []), []);
	},
	"ends with its closing": async (t, store) => {
		const pending = store.put("vm", "a", {});
		await store.close();
		await store.close();
		await t.notThrowsAsync(pending);
		await t.throwsAsync(store.get("vm", "a"), { code: "STORE_FAILED" });
		await t.throwsAsync(store.put("vm", "a", {}), { code: "STORE_FAILED" });
		t.throws(() => store.subscribe("all", () => undefined), { code: "STORE_FAILED" });
	},
	"equals a model over random writes at once": async (t, store) => {
		const random = randomFor(t);
		const model = new Map<string, number>();
		const replica = new Map<string, unknown>();
		store.subscribe("vm", ({ type, document }) => {
			if (type === "put") replica.set(document.id, document.body["n"]);
			else replica.delete(document.id);
		});
		const writes: Promise<unknown>[] = [];
		for (let n = 0; n < 400; n++) {
			const chosen = random.some(1 + random.below(3), 30).map((at) => `vm-${at}`);
			const isRemoval = random.below(4) === 0;
			for (const id of chosen) isRemoval ? model.delete(id) : model.set(id, n);
			if (isRemoval) writes.push(...chosen.map((id) => store.remove("vm", id)));
			else {
				writes.push(
					store.putMany(
						"vm",
						chosen.map((id) => ({ id, body: { n } })),
					),
				);
			}
			if (random.below(20) === 0) await Promise.all(writes.splice(0));
		}
		await Promise.all(writes);
		const held = (await store.list("vm")).map(({ id, body }) => [id, body["n"]]);
		const sorted = (entries: Iterable<[string, unknown]>) =>
			[...entries].sort(([a], [b]) => (a < b ? -1 : 1));
		t.deepEqual(held, sorted(model));
		t.deepEqual(held, sorted(replica));
	},
};

for (const [name, make] of Object.entries(STORES)) {
	for (const [promise, act] of Object.entries(PROMISES)) {
		test.serial(`${name} store › ${promise}`, async (t) => {
			const store = await make(t);
			try {
				await act(t, store);
			} finally {
				await store.close();
			}
		});
	}
}
