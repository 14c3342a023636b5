// A store whose file system fills up: a clear error, no acknowledged write lost, and it goes on once there is space.
import { join } from "node:path";
import type { Store, StoreError } from "@knib/core";
import { openRxStore } from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import { openStoreIn } from "../support/store/stores.ts";
import { mountTmpfs } from "../support/store/tmpfs.ts";

/** More than the file system holds, however well LevelDB compresses. */
const MOST = 2000;

const hasMount = process.getuid?.() === 0;

const body = (n: number) => ({ n, noise: Array.from({ length: 50 }, () => crypto.randomUUID()) });

const fill = async (store: Store, acknowledged: Set<string>): Promise<unknown> => {
	try {
		for (let n = 0; n < MOST; n++) {
			acknowledged.add((await store.put("job", `job-${n}`, body(n))).id);
		}
		return undefined;
	} catch (thrown) {
		return thrown;
	}
};

const checkFailed = async (t: ExecutionContext, store: Store, fatal: readonly StoreError[]) => {
	t.deepEqual(
		fatal.map(({ code }) => code),
		["STORE_FULL"],
	);
	for (const act of [
		() => store.put("vm", "a", {}),
		() => store.get("job", "job-0"),
		() => store.list("job"),
		() => store.remove("job", "job-0"),
	]) {
		await t.throwsAsync(act, { code: "STORE_FULL" });
	}
	await store.close();
};

// Without root nothing can be mounted; as root a mount that fails is a failure.
const testAsRoot = hasMount ? test.serial : test.serial.skip;

testAsRoot("store › that is full says so, and keeps what it acknowledged", async (t) => {
	const tmpfs = await mountTmpfs(t, "3m");
	const dir = join(tmpfs.path, "store");
	const fatal: StoreError[] = [];
	const store = await openRxStore({ dir, owner: "host-a", onFatal: (error) => fatal.push(error) });
	const acknowledged = new Set<string>();
	t.like(await fill(store, acknowledged), { code: "STORE_FULL" });
	t.true(acknowledged.size > 20, `${acknowledged.size} were acknowledged`);
	await checkFailed(t, store, fatal);
	await tmpfs.resize("32m");
	const again = await openStoreIn(t, dir);
	const held = new Set((await again.list("job")).map(({ id }) => id));
	t.deepEqual(
		[...acknowledged].filter((id) => !held.has(id)),
		[],
	);
	t.true(held.size <= acknowledged.size + 1);
	await again.put("job", "after", body(0));
	await again.close();
});

testAsRoot("store › cannot be made where there is no space", async (t) => {
	const tmpfs = await mountTmpfs(t, "4k");
	await t.throwsAsync(openStoreIn(t, join(tmpfs.path, "store")), { code: "STORE_FULL" });
});
