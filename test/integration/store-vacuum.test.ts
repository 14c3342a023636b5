// Vacuuming the log: what it drops, what it keeps, and a crash after each of its steps.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LogEntry } from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import {
	openStoreLog,
	VACUUM_STEPS,
	type VacuumStep,
} from "../../packages/sync/src/storage/open-store-log.ts";
import { startChild } from "../support/store/child.ts";
import { temporaryDirectory } from "../support/store/temporary-directory.ts";

const LIVE = 200;

/** A store's directory whose log has more stubs than live entries, and what is live. */
const aFullLog = async (t: ExecutionContext, dead = 3 * LIVE) => {
	const dir = await temporaryDirectory(t);
	const log = await openStoreLog(dir);
	const keys = Array.from({ length: LIVE + dead }, (_, n) => `c:${n}`);
	const puts = keys.map((key) => ({ key, value: { key, pad: crypto.randomUUID().repeat(20) } }));
	await log.write({ puts, purges: [] });
	await log.write({ puts: [], purges: keys.slice(LIVE) });
	const { epoch, lastSeq } = log;
	await log.close();
	return { dir, epoch, lastSeq };
};

const contents = async (
	dir: string,
	options: Parameters<typeof openStoreLog>[1] = {},
): Promise<{ epoch: string; lastSeq: number; entries: readonly LogEntry[] }> => {
	const log = await openStoreLog(dir, options);
	const { epoch, lastSeq } = log;
	const entries = log.take("");
	await log.close();
	return { epoch, lastSeq, entries };
};

const logsIn = async (dir: string): Promise<readonly string[]> =>
	(await readdir(dir)).filter((name) => name.startsWith("log-"));

const sizeOf = async (dir: string): Promise<number> => {
	const files = await readdir(dir);
	const sizes = await Promise.all(files.map(async (name) => (await stat(join(dir, name))).size));
	return sizes.reduce((sum, size) => sum + size, 0);
};

test("vacuum › keeps live entries with their numbers and the epoch, in less space", async (t) => {
	const { dir, epoch, lastSeq } = await aFullLog(t);
	const before = await contents(dir);
	const sizeBefore = await sizeOf(join(dir, "log-1"));
	const steps: VacuumStep[] = [];
	const after = await contents(dir, { vacuumFrom: 1, onVacuumStep: (step) => steps.push(step) });
	t.deepEqual(steps, [...VACUUM_STEPS]);
	t.deepEqual(after.entries, before.entries);
	t.is(after.entries.length, LIVE);
	t.is(after.epoch, epoch);
	t.true(after.lastSeq >= lastSeq);
	t.deepEqual(await logsIn(dir), ["log-2"]);
	t.true((await sizeOf(join(dir, "log-2"))) < sizeBefore / 2);
	const again = await contents(dir, { vacuumFrom: 1, onVacuumStep: () => t.fail() });
	t.is(again.lastSeq, after.lastSeq);
});

test("vacuum › waits until stubs are many, and more than live entries", async (t) => {
	const few = await aFullLog(t, LIVE - 10);
	const onVacuumStep = () => t.fail();
	await contents(few.dir, { vacuumFrom: 1, onVacuumStep });
	const many = await aFullLog(t, LIVE + 10);
	await contents(many.dir, { onVacuumStep });
	t.deepEqual(await logsIn(many.dir), ["log-1"]);
});

test("vacuum › that fails is told, and the log is used as it is", async (t) => {
	const { dir } = await aFullLog(t);
	const before = await contents(dir);
	const codes: string[] = [];
	const after = await contents(dir, {
		vacuumFrom: 1,
		onVacuumFailed: ({ code }) => codes.push(code),
		onVacuumStep: (step) => {
			if (step === "copied") throw new Error("ENOSPC: no space left on device");
		},
	});
	t.deepEqual(codes, ["STORE_FULL"]);
	t.deepEqual(after, before);
	t.deepEqual(await logsIn(dir), ["log-1"]);
});

for (const step of VACUUM_STEPS) {
	test.serial(`vacuum › loses nothing by a crash when ${step}`, async (t) => {
		const { dir } = await aFullLog(t);
		const before = await contents(dir);
		const child = startChild(t, "vacuuming-child.ts", { args: [dir, step] });
		t.is(await child.ended(), null, "it was killed");
		const after = await contents(dir);
		t.deepEqual(after.entries, before.entries);
		t.is(after.epoch, before.epoch);
		t.true(after.lastSeq >= before.lastSeq);
		t.is((await logsIn(dir)).length, 1, "what is not in force was swept away");
		t.deepEqual((await contents(dir, { vacuumFrom: 1 })).entries, before.entries);
	});
}
