import { createRequire } from "node:module";
import test from "ava";
import { LevelGuard } from "../../../packages/sync/src/storage/level-guard.ts";

type Callback = (error?: Error | null, value?: unknown) => void;

/** A LevelDB that answers each get with `answer`, and notes the options of its batches. */
const guarded = (answer: Error | string) => {
	const batches: object[] = [];
	const closed: string[] = [];
	const level = {
		_get: (_key: unknown, _options: object, callback: Callback): void => {
			if (typeof answer === "string") callback(null, answer);
			else callback(answer);
		},
		_iterator: () => ({
			_next: (callback: (...entry: unknown[]) => void): void => callback(null, "key", answer),
		}),
		_batch: (_operations: unknown, options: object, callback: Callback): void => {
			batches.push(options);
			callback();
		},
		close: (callback: Callback): void => {
			closed.push("LevelDB");
			callback();
		},
	};
	const guard = new LevelGuard(() => level);
	guard.factory("anywhere");
	const get = (): Promise<unknown> =>
		new Promise((resolve) => {
			level._get("key", {}, (error, value) => resolve(error ?? value));
		});
	const close = () => guard.close(async () => void closed.push("PouchDB"));
	return { guard, level, batches, closed, close, get };
};

test("LevelGuard › has every batch fsynced", (t) => {
	const { level, batches } = guarded("");
	level._batch([], { prefix: "p" }, () => undefined);
	t.deepEqual(batches, [{ prefix: "p", sync: true }]);
});

test("LevelGuard › passes on what was read, and that a key is not there", async (t) => {
	t.is(await guarded("value").get(), "value");
	const absent = new Error("NotFound: ");
	t.is(await guarded(absent).get(), absent);
});

test("LevelGuard › ends what is under way, and all that follows, when a read fails", async (t) => {
	const { guard, get } = guarded(new Error("Corruption: bad block"));
	const message = "the store cannot be read";
	t.like(await t.throwsAsync(guard.watch(get()), { message }), {
		cause: { message: "Corruption: bad block" },
	});
	await t.throwsAsync(guard.watch(Promise.resolve(1)), { message });
});

test("LevelGuard › takes an absent key for damage while it is strict", async (t) => {
	const { guard, get } = guarded(new Error("NotFound: "));
	guard.strict = true;
	await t.throwsAsync(guard.watch(get()), { message: "the store cannot be read" });
});

test("LevelGuard › catches what is thrown when a value is decoded", async (t) => {
	const decode = () => {
		throw new SyntaxError("not JSON");
	};
	const never = new Promise(() => undefined);
	for (const read of ["get", "next"]) {
		const { guard, level } = guarded("value");
		const watched = guard.watch(never);
		if (read === "get") level._get("key", {}, decode);
		else level._iterator()._next(decode);
		t.like(await t.throwsAsync(watched), { cause: { message: "not JSON" } });
	}
});

test("LevelGuard › closes LevelDB itself when PouchDB no longer goes on", async (t) => {
	const sound = guarded("value");
	await sound.close();
	t.deepEqual(sound.closed, ["PouchDB"]);
	const damaged = guarded(new Error("Corruption: bad block"));
	await t.throwsAsync(damaged.guard.watch(damaged.get()));
	await damaged.close();
	t.deepEqual(damaged.closed, ["LevelDB"]);
});

test("LevelGuard › shares no database with another one of the same path", (t) => {
	t.not(new LevelGuard().factory.name, new LevelGuard().factory.name);
});

test("LevelGuard › has a document that is cut short refused at once", (t) => {
	const { safeJsonParse } = createRequire(import.meta.url)("pouchdb-json") as {
		safeJsonParse: (text: string) => unknown;
	};
	t.throws(() => safeJsonParse('{"id":"cut'), { instanceOf: SyntaxError });
	t.throws(() => safeJsonParse('{"deleted":tru'), { instanceOf: SyntaxError });
});
