// Hosts at work while links are cut, slow, stutter and deliver out of order, and hosts restart. The seed is printed; SYNC_SEED repeats it.
import { DOCUMENT_KINDS } from "@knib/core";
import { createMemoryLink, type Link } from "@knib/sync";
import test from "ava";
import { listConflicts } from "../../apps/host-daemon/src/mesh/conflicts.ts";
import { makeHost, type TestHost, untilEqual } from "./hosts.ts";
import { randomFrom } from "./random.ts";

const OPERATIONS = Number(process.env["SYNC_OPERATIONS"] ?? 1000);
const SEED = Number(process.env["SYNC_SEED"] ?? Date.now() % 1_000_000);

type Random = () => number;

const pick = (random: Random, below: number): number => Math.floor(random() * below);

const carrier = (random: Random) => (deliver: () => void) => {
	const fate = random();
	if (fate < 0.02) return;
	if (fate < 0.1) setTimeout(deliver, pick(random, 15));
	else queueMicrotask(deliver);
	if (fate > 0.95) setTimeout(deliver, pick(random, 5));
};

const edit = async (host: TestHost, random: Random): Promise<void> => {
	const name = `d${pick(random, 20)}`;
	const what = random();
	if (what < 0.4) await host.put("job", name, { n: pick(random, 100) });
	else if (what < 0.5) await host.put("backup", name, null);
	else await host.write("offering", name, { [`f${pick(random, 3)}`]: pick(random, 100) });
};

/** The links of some hosts, good ones and bad ones. */
const weather = (hosts: readonly TestHost[], random: Random) => {
	const links = new Map<string, Link>();
	const pairs = hosts.flatMap((a, at) => hosts.slice(at + 1).map((b) => [a, b] as const));
	const connect = (a: TestHost, b: TestHost, gate?: (deliver: () => void) => void): void => {
		const [left, right] = createMemoryLink(a.id, b.id, gate);
		links.set(`${a.id}${b.id}`, left);
		a.mesh.add(left);
		b.mesh.add(right);
	};
	const disturb = (): void => {
		const [a, b] = pairs[pick(random, pairs.length)] ?? [];
		if (a === undefined || b === undefined) return;
		const what = random();
		if (what < 0.5) connect(a, b, carrier(random));
		else if (what < 0.8) links.get(`${a.id}${b.id}`)?.close("cut");
		else a.restart();
	};
	const cutAll = (): void => {
		for (const link of links.values()) link.close("cut");
	};
	return { connect, cutAll, disturb, pairs };
};

test("mesh › converges after any cut, delay, loss, doubling, reordering and restart", async (t) => {
	t.timeout(300_000);
	t.log(`seed ${SEED}, ${OPERATIONS} operations`);
	const random = randomFrom(SEED);
	const cluster = { members: new Set<string>() };
	const make = (skew: number) => makeHost(cluster, { skew, timeoutMs: 100, digestEveryMs: 50 });
	const hosts = [make(600_000), make(0), make(-600_000)] as const;
	const { connect, cutAll, disturb, pairs } = weather(hosts, random);
	for (let step = 0; step < OPERATIONS; step += 1) {
		if (random() < 0.06) disturb();
		else await edit(hosts[pick(random, hosts.length)] ?? hosts[0], random);
		if (step % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
	}
	cutAll();
	for (const [at, host] of hosts.entries()) await host.write("offering", "apart", { at });
	const healed = performance.now();
	for (const [a, b] of pairs) connect(a, b);
	await untilEqual(hosts, `equal replicas with SYNC_SEED=${SEED}`);
	t.log(`equal ${Math.round(performance.now() - healed)} ms after the last link was back`);
	const listed = await Promise.all(hosts.map(({ replica }) => listConflicts(replica, (id) => id)));
	t.log(`${listed[0]?.length} conflicts listed`);
	t.true(listed[0]?.some(({ id }) => id === "apart"));
	for (const one of listed) t.deepEqual(one, listed[0]);
	for (const kind of DOCUMENT_KINDS) {
		const digests = await Promise.all(hosts.map(({ replica }) => replica.digest(kind)));
		t.is(new Set(digests).size, 1, kind);
	}
	for (const host of hosts) {
		for (const other of hosts) {
			t.is(host.mesh.counts(other.id).dropped.signature, 0);
			host.mesh.drop(other.id, "done");
		}
		host.mesh.close();
	}
});
