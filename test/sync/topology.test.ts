import { keptPeers, MOST_KEPT } from "@knib/core";
import { createMemoryLink } from "@knib/sync";
import test from "ava";
import { makeHost, type TestHost, until, untilEqual } from "./hosts.ts";

const COUNT = 24;

/** Links every host with the peers that it keeps while some are lost. */
const connect = (hosts: readonly TestHost[], lost: ReadonlySet<string> = new Set()): void => {
	const ids = hosts.map(({ id }) => id);
	const standing = hosts.filter(({ id }) => !lost.has(id));
	for (const [at, a] of standing.entries()) {
		const kept = keptPeers(a.id, ids, lost);
		for (const b of standing.slice(at + 1)) {
			if (!kept.has(b.id) || a.mesh.connected().includes(b.id)) continue;
			const [left, right] = createMemoryLink(a.id, b.id);
			a.mesh.add(left);
			b.mesh.add(right);
		}
	}
};

const close = (hosts: readonly TestHost[]): void => {
	for (const host of hosts) host.mesh.close();
};

const aMesh = (): readonly TestHost[] => {
	const cluster = { members: new Set<string>() };
	return Array.from({ length: COUNT }, () => makeHost(cluster, { timeoutMs: 60_000 }));
};

test("large mesh › carries signed documents, requests and results through peers, with nobody linked to all", async (t) => {
	const hosts = aMesh();
	connect(hosts);
	for (const { mesh } of hosts) t.true(mesh.connected().length <= MOST_KEPT);
	const [asker] = hosts;
	const target = hosts.find(
		({ id }) => asker !== undefined && id !== asker.id && !asker.mesh.connected().includes(id),
	);
	if (asker === undefined || target === undefined) throw new Error("everybody is linked");
	await asker.put("intent", "i1", { target: target.id });
	await until(
		"the request at its target",
		async () => (await target.replica.list("intent")).length === 1,
	);
	await target.put("job", "i1", { state: "succeeded" });
	for (const [at, host] of hosts.entries()) {
		await host.put("backup", `b${at}`, { at });
		await host.write("offering", "o1", { [`field${at}`]: at });
	}
	await until("the result", async () => (await asker.replica.list("job")).length === 1);
	await untilEqual(hosts);
	t.is((await asker.replica.list("backup")).length, COUNT);
	t.is(asker.mesh.counts(asker.mesh.connected()[0] ?? "").garbage, 0);
	close(hosts);
});

test("large mesh › becomes equal though a third of the hosts is lost, and again when they return", async (t) => {
	const hosts = aMesh();
	const lost = new Set(hosts.filter((_, at) => at % 3 === 0).map(({ id }) => id));
	const rest = hosts.filter(({ id }) => !lost.has(id));
	connect(hosts, lost);
	for (const host of hosts) await host.put("backup", `of ${host.id}`, { on: true });
	await untilEqual(rest);
	t.is((await rest[0]?.replica.list("backup"))?.length, rest.length);
	connect(hosts);
	await untilEqual(hosts);
	t.is((await rest[0]?.replica.list("backup"))?.length, COUNT);
	close(hosts);
});
