import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Repository } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { openRepository } from "../../../apps/host-daemon/src/repository/open-repository.ts";
import { rejectsWith } from "../../contracts/repository-contract.ts";
import { manualTimer, testClock } from "../../contracts/repository-harness.ts";
import { MANIFEST_VM } from "../../support/builders/manifest.ts";
import { aRepository, openOptions } from "./support/directory-harness.ts";

const CHILD = fileURLToPath(new URL("support/lease-child.ts", import.meta.url));
const ROUNDS = 20;

const racer = async (t: ExecutionContext, path: string, holder: string): Promise<ChildProcess> => {
	const args = [path, holder, String(ROUNDS)];
	const child = fork(CHILD, args, { execArgv: ["--conditions=source"], stdio: "inherit" });
	t.teardown(() => {
		child.kill();
	});
	await once(child, "message");
	return child;
};

/** Lets all racers go at once and returns the numbers that were won. */
const race = async (racers: readonly ChildProcess[]): Promise<readonly number[]> => {
	const answers = racers.map((child) => once(child, "message"));
	for (const child of racers) child.send("go");
	const numbers = (await Promise.all(answers)).map(([number]) => Number(number));
	return numbers.filter((number) => number > 0);
};

const leaseDirectory = (repository: Repository): string =>
	join(repository.path, "vms", MANIFEST_VM);

test("lease › is won by one of three processes that race for it, in every round", async (t) => {
	const repository = await aRepository(t);
	const holders = ["host-a", "host-b", "host-c"];
	const racers = await Promise.all(holders.map((one) => racer(t, repository.path, one)));
	let last = 0;
	for (let round = 0; round < ROUNDS; round += 1) {
		const won = await race(racers);
		t.is(won.length, 1, `round ${round}: ${won.join(" and ")} were won`);
		const [number = 0] = won;
		t.true(number > last);
		last = number;
		// The winner dies without a word; its lease is marked as given back, so that the next round is open to all.
		const file = join(leaseDirectory(repository), `lease.${number}.json`);
		const lease = { holder: "x", fencing: number, counter: 1, takenAt: "2026-01-02T03:04:05.000Z" };
		await writeFile(file, JSON.stringify({ ...lease, released: true }));
	}
	t.true((await readdir(leaseDirectory(repository))).length <= 10);
});

test("lease › a number made again by a process that slept is given up", async (t) => {
	const { path } = await aRepository(t);
	const clock = testClock();
	let armed = false;
	const other = await openRepository(openOptions(path, { clock }));
	const hook = (operation: string, at: string): void => {
		if (armed && operation === "link" && at.includes("/lease.")) {
			armed = false;
			throw new Error("asleep");
		}
	};
	const sleeper = await openRepository(openOptions(path, { clock, hook }));
	const taken = await other.lease(MANIFEST_VM, "host-a");
	await taken.release();
	armed = true;
	await t.throwsAsync(sleeper.lease(MANIFEST_VM, "host-b"), { message: /asleep/ });
	for (let turn = 0; turn < 12; turn += 1) {
		await (await other.lease(MANIFEST_VM, "host-a")).release();
	}
	// What the sleeper would have done next: the number after the one it saw is free again by now.
	const directory = join(path, "vms", MANIFEST_VM);
	t.false((await readdir(directory)).includes("lease.2.json"));
	await mkdir(directory, { recursive: true });
	await writeFile(join(directory, "lease.2.json"), "{}");
	t.is((await other.lease(MANIFEST_VM, "host-a")).fencing, 14);
});

test("lease › that cannot be read is somebody's until it has stood still for the lease time", async (t) => {
	const repository = await aRepository(t);
	const clock = testClock();
	const observer = await openRepository(openOptions(repository.path, { clock }));
	await mkdir(leaseDirectory(repository));
	await writeFile(join(leaseDirectory(repository), "lease.7.json"), "");
	await rejectsWith(t, observer.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
	clock.advance(59_999);
	await rejectsWith(t, observer.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
	clock.advance(1);
	t.is((await observer.lease(MANIFEST_VM, "host-b")).fencing, 8);
});

test("lease › is lost when its files are, and said so", async (t) => {
	const { path } = await aRepository(t);
	const timer = manualTimer();
	const repository = await openRepository(openOptions(path, { every: timer.every }));
	const lease = await repository.lease(MANIFEST_VM, "host-a");
	await rm(leaseDirectory(repository), { recursive: true });
	timer.fire();
	await rejectsWith(t, lease.check(), "LEASE_HELD");
	await lease.release();
});

test("lease › renews itself by a timer that keeps no process alive", async (t) => {
	const { path } = await aRepository(t);
	const { every: _, ...options } = openOptions(path, { leaseMs: 60 });
	const repository = await openRepository(options);
	const lease = await repository.lease(MANIFEST_VM, "host-a");
	const counter = async (): Promise<string | undefined> => {
		const text = await readFile(join(leaseDirectory(repository), "lease.1.json"), "utf8");
		return /"counter": (\d+)/.exec(text)?.[1];
	};
	const deadline = Date.now() + 60_000;
	while ((await counter()) === "0" && Date.now() < deadline) await sleep(20);
	t.not(await counter(), "0");
	await lease.release();
	const after = await counter();
	await sleep(20);
	t.is(await counter(), after);
});
