// Opening a store: locked, of another version, without its marker, damaged, gone.
import { cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asKnibError } from "@knib/core";
import type { LogEntry } from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import { openStoreLog } from "../../packages/sync/src/storage/open-store-log.ts";
import { startChild } from "../support/store/child.ts";
import { randomFor } from "../support/store/random.ts";
import { rewriteLevel } from "../support/store/rewrite-level.ts";
import { openStoreIn } from "../support/store/stores.ts";
import { temporaryDirectory } from "../support/store/temporary-directory.ts";

/** A directory with a store that holds one VM. */
const aStore = async (t: ExecutionContext): Promise<string> => {
	const dir = join(await temporaryDirectory(t), "store");
	const store = await openStoreIn(t, dir);
	await store.put("vm", "a", { n: 1 });
	await store.close();
	return dir;
};

test.serial("store › is refused to a second process, until the first one dies", async (t) => {
	const dir = await aStore(t);
	const store = await openStoreIn(t, dir);
	t.deepEqual(await startChild(t, "opening-child.ts", { args: [dir] }).next(), {
		refused: "STORE_LOCKED",
	});
	await store.put("vm", "b", {});
	await store.close();
	const other = startChild(t, "opening-child.ts", { args: [dir] });
	t.deepEqual(await other.next(), { opened: true });
	await t.throwsAsync(openStoreIn(t, dir), {
		code: "STORE_LOCKED",
		message: /it is in use by another process$/,
	});
	await other.kill();
	const again = await openStoreIn(t, dir);
	t.is((await again.list("vm")).length, 2);
	await again.close();
});

test.serial("store › that was deleted opens empty, and counts as another history", async (t) => {
	const dir = await aStore(t);
	const before = await openStoreLog(dir);
	await before.close();
	await rm(dir, { recursive: true });
	const store = await openStoreIn(t, dir);
	t.deepEqual(await store.list("vm"), []);
	await store.close();
	const after = await openStoreLog(dir);
	t.not(after.epoch, before.epoch);
	await after.close();
});

test.serial("store › is private to its user", async (t) => {
	t.is((await stat(await aStore(t))).mode & 0o777, 0o700);
});

const MARKERS: Record<string, string> = {
	"of a newer version": '{"format":"knib-store","version":3,"log":"log-1","more":true}',
	"of something else": '{"format":"other","version":1,"log":"log-1"}',
	"that is cut off": '{"format":"knib-store","ver',
	"that names a path": '{"format":"knib-store","version":1,"log":"../log-1"}',
};

for (const [what, marker] of Object.entries(MARKERS)) {
	test.serial(`store › with a marker ${what} is refused and left alone`, async (t) => {
		const dir = await aStore(t);
		const good = await readFile(join(dir, "store.json"), "utf8");
		await writeFile(join(dir, "store.json"), marker);
		await t.throwsAsync(openStoreIn(t, dir), { code: "STORE_FORMAT" });
		await writeFile(join(dir, "store.json"), good);
		const store = await openStoreIn(t, dir);
		t.is((await store.list("vm")).length, 1);
		await store.close();
	});
}

test.serial("store › whose marker is gone is refused, not begun anew", async (t) => {
	const dir = await aStore(t);
	await rm(join(dir, "store.json"));
	await t.throwsAsync(openStoreIn(t, dir), { code: "STORE_FORMAT", message: /no store\.json/ });
});

const OTHERS: Record<string, (internal: string) => string> = {
	"by a newer RxDB": (text) => text.replace(/"rxdbVersion":"[^"]*"/, '"rxdbVersion":"18.0.0"'),
	"with another schema": (text) =>
		text
			.replace(/"schemaHash":"[^"]*"/, '"schemaHash":"other"')
			.replace('"maxLength":128', '"maxLength":64'),
};

for (const [how, change] of Object.entries(OTHERS)) {
	test.serial(`store › written ${how} is refused`, async (t) => {
		const dir = await aStore(t);
		const log = await openStoreLog(dir);
		const internal = log.take("c:knib/_rxdb_internal/");
		const puts = internal.map(({ key, value }) => ({
			key,
			value: JSON.parse(change(JSON.stringify(value))) as object,
		}));
		t.notDeepEqual(puts, internal);
		await log.write({ puts, purges: [] });
		await log.close();
		await t.throwsAsync(openStoreIn(t, dir), { code: "STORE_FORMAT" });
	});
}

/** Writes over 16 bytes of every table file at a fraction of its length. */
const damage = async (dir: string, fraction: number): Promise<void> => {
	const names = (await readdir(dir)).filter((name) => name.endsWith(".ldb"));
	for (const name of names) {
		const bytes = await readFile(join(dir, name));
		bytes.write("DAMAGEDDAMAGED!!", Math.floor(bytes.length * fraction), "latin1");
		await writeFile(join(dir, name), bytes);
	}
};

/** What a log holds, or the code with which it is refused. */
const look = async (dir: string): Promise<readonly LogEntry[] | string> => {
	try {
		const log = await openStoreLog(dir);
		const entries = log.take("");
		await log.close();
		return entries;
	} catch (thrown) {
		return asKnibError(thrown).code;
	}
};

test.serial("store › with changed bytes is refused, or what it holds is right", async (t) => {
	const dir = await temporaryDirectory(t);
	const good = join(dir, "good");
	const log = await openStoreLog(good);
	for (let n = 0; n < 3000; n += 100) {
		const puts = Array.from({ length: 100 }, (_, at) => ({
			key: `c:${n + at}`,
			value: { ids: Array.from({ length: 20 }, () => crypto.randomUUID()) },
		}));
		await log.write({ puts, purges: [] });
	}
	await log.close();
	const whole = await look(good);
	let refused = 0;
	const random = randomFor(t);
	for (let n = 0; n < 12; n++) {
		const fraction = random.below(1000) / 1000;
		const copy = join(dir, `copy-${n}`);
		await cp(good, copy, { recursive: true });
		await damage(join(copy, "log-1"), fraction);
		const found = await look(copy);
		if (found === "STORE_FAILED") refused += 1;
		else t.deepEqual(found, whole, `at ${fraction}`);
	}
	t.true(refused > 3);
});

const BROKEN: Record<string, (json: string) => string> = {
	"end within a word": (json) => json.slice(0, json.lastIndexOf('"')),
	"are no JSON": (json) => json.replace(":", "#"),
};

for (const [how, change] of Object.entries(BROKEN)) {
	test.serial(`store › whose documents ${how} is refused`, async (t) => {
		const dir = await aStore(t);
		const [name = ""] = (await readdir(dir)).filter((one) => one.startsWith("log-"));
		const documents = await rewriteLevel(join(dir, name), (value) =>
			value.startsWith('{"id":') ? change(value) : undefined,
		);
		t.true(documents > 0);
		t.is(await look(dir), "STORE_FAILED");
	});
}
