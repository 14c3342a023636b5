import test from "ava";
import { LevelGuard } from "../../../packages/sync/src/storage/level-guard.ts";

type Callback = (error?: Error | null, value?: unknown) => void;

/** A LevelDB that answers each get with `answer`, and notes the options of its batches. */
const guarded = (answer: Error | string) => {
	const batches: object[] = [];
	const level = {
		_get: (_key: unknown, _options: object, callback: Callback): void => {
			if (typeof answer === "string") callback(null, answer);
			else callback(answer);
		},
		_batch: (_operations: unknown, options: object, callback: Callback): void => {
			batches.push(options);
			callback();
		},
	};
	const guard = new LevelGuard(() => level);
	guard.factory("anywhere");
	const get = (): Promise<unknown> =>
		new Promise((resolve) => {
			level._get("key", {}, (error, value) => resolve(error ?? value));
		});
	return { guard, level, batches, get };
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
	await t.throwsAsync(guard.watch(get()), { message: /Corruption/ });
	await t.throwsAsync(guard.watch(Promise.resolve(1)), { message: /Corruption/ });
});

test("LevelGuard › takes an absent key for damage while it is strict", async (t) => {
	const { guard, get } = guarded(new Error("NotFound: "));
	guard.strict = true;
	await t.throwsAsync(guard.watch(get()), { message: /NotFound/ });
});

test("LevelGuard › shares no database with another one of the same path", (t) => {
	t.not(new LevelGuard().factory.name, new LevelGuard().factory.name);
});
