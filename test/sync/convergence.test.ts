import { sharedBody, sharedConflicts } from "@knib/core";
import { createMemoryLink, TOMBSTONE_AGE_MS } from "@knib/sync";
import test from "ava";
import { makeHost, type TestHost, until, untilEqual } from "./hosts.ts";

const MINUTES = 60_000;

const three = (): readonly [TestHost, TestHost, TestHost] => {
	const cluster = { members: new Set<string>() };
	return [
		makeHost(cluster, { skew: 10 * MINUTES }),
		makeHost(cluster),
		makeHost(cluster, { skew: -10 * MINUTES }),
	];
};

const connect = (a: TestHost, b: TestHost): void => {
	const [left, right] = createMemoryLink(a.id, b.id);
	a.mesh.add(left);
	b.mesh.add(right);
};

const pairs = (hosts: readonly TestHost[]): readonly (readonly [TestHost, TestHost])[] =>
	hosts.flatMap((a, at) => hosts.slice(at + 1).map((b) => [a, b] as const));

const close = (hosts: readonly TestHost[]): void => {
	for (const host of hosts) host.mesh.close();
};

test("mesh › carries a document from host to host", async (t) => {
	const hosts = three();
	const [a, b, c] = hosts;
	for (const [x, y] of pairs(hosts)) connect(x, y);
	await a.put("job", "j1", { state: "running" });
	await until("the job on b and c", async () =>
		(await Promise.all([b, c].map((h) => h.replica.list("job")))).every((l) => l.length === 1),
	);
	t.deepEqual(await b.replica.list("job"), await a.replica.list("job"));
	close(hosts);
});

test("mesh › carries documents through a host in between", async (t) => {
	const hosts = three();
	const [a, b, c] = hosts;
	connect(a, b);
	connect(b, c);
	await a.put("job", "j1", { state: "running" });
	await c.write("offering", "o1", { name: "gold" });
	await untilEqual(hosts);
	t.is((await c.replica.list("job")).length, 1);
	close(hosts);
});

const PARTITIONS: readonly (readonly number[])[] = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]];

for (const open of PARTITIONS) {
	const words = open.length === 0 ? "no link" : `the links ${open.join(" and ")}`;
	test(`mesh › converges after work with ${words} open and clocks 20 minutes apart`, async (t) => {
		const hosts = three();
		for (const at of open) {
			const pair = pairs(hosts)[at];
			if (pair !== undefined) connect(...pair);
		}
		for (const [at, host] of hosts.entries()) {
			await host.put("job", "same id", { state: "running", at });
			await host.put("backup", `b${at}`, { at });
			await host.put("backup", `b${at}`, null);
			await host.write("offering", "o1", { name: `name ${at}`, [`field${at}`]: at });
		}
		for (const [a, b] of pairs(hosts)) connect(a, b);
		await untilEqual(hosts);
		const offering = await hosts[0].shared("offering", "o1");
		t.is(Object.keys(sharedBody(offering)).length, 4);
		t.is((await hosts[0].replica.list("job")).length, 3);
		close(hosts);
	});
}

test("mesh › lists conflicting edits alike everywhere, and settles them", async (t) => {
	const hosts = three();
	for (const [at, host] of hosts.entries()) await host.write("offering", "o1", { name: `n${at}` });
	for (const [a, b] of pairs(hosts)) connect(a, b);
	await untilEqual(hosts);
	const [a, , c] = hosts;
	t.is(sharedConflicts(await a.shared("offering", "o1")).length, 2);
	await c.write("offering", "o1", { name: "settled" });
	await untilEqual(hosts);
	const settled = await a.shared("offering", "o1");
	t.deepEqual(sharedBody(settled), { name: "settled" });
	t.deepEqual(sharedConflicts(settled), []);
	close(hosts);
});

test("mesh › mends by digests what a wrong checkpoint hides", async (t) => {
	const cluster = { members: new Set<string>() };
	const [a, b] = [makeHost(cluster), makeHost(cluster)];
	await a.put("job", "j1", { state: "running" });
	const checkpoint = { epoch: a.replica.epoch, seq: 1 };
	await b.replica.merge([], { peer: a.id, kind: "job", checkpoint });
	connect(a, b);
	await untilEqual([a, b]);
	t.is((await b.replica.list("job")).length, 1);
	close([a, b]);
});

test("mesh › purges a tombstone only when every member has read past it", async (t) => {
	const hosts = three();
	const [a, b, c] = hosts;
	const later = Date.now() + TOMBSTONE_AGE_MS + MINUTES;
	await a.put("job", "j1", { state: "running" });
	await a.put("job", "j1", null);
	connect(a, b);
	await untilEqual([a, b]);
	t.is(await a.mesh.purge(later), 0);
	connect(a, c);
	await until("all to have acknowledged", async () => {
		await a.put("job", "j2", { at: Date.now() });
		return (await a.mesh.purge(later)) === 1;
	});
	t.is((await a.replica.list("job")).length, 1);
	close(hosts);
});

test("mesh › takes no link of a host that is no member", (t) => {
	const [a, b] = [
		makeHost({ members: new Set<string>() }),
		makeHost({ members: new Set<string>() }),
	];
	connect(a, b);
	t.deepEqual(a.mesh.connected(), []);
	close([a, b]);
});
