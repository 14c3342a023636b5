import { createHash } from "node:crypto";
import { FULL_MESH_HOSTS, keptPeers, MOST_KEPT } from "@knib/core";
import test from "ava";
import fc from "fast-check";

const idOf = (text: string): string => createHash("sha256").update(text).digest("hex");

const hostsOf = (seed: number, count: number): readonly string[] =>
	Array.from({ length: count }, (_, at) => idOf(`${seed}/${at}`));

const LARGE = fc
	.tuple(fc.nat(), fc.integer({ min: FULL_MESH_HOSTS + 1, max: 60 }))
	.map(([seed, count]) => hostsOf(seed, count));

/** Who is reached from the first host over kept links between hosts that stand. */
const reached = (hosts: readonly string[], lost: ReadonlySet<string> = new Set()) => {
	const [first] = hosts.filter((id) => !lost.has(id));
	const found = new Set(first === undefined ? [] : [first]);
	for (const id of found) {
		for (const peer of keptPeers(id, hosts, lost)) if (!lost.has(peer)) found.add(peer);
	}
	return found;
};

test("topology › links everybody up to 16 hosts", (t) => {
	const hosts = hostsOf(1, FULL_MESH_HOSTS);
	for (const id of hosts) t.is(keptPeers(id, hosts).size, FULL_MESH_HOSTS - 1);
});

test("topology › of more hosts connects all, with few peers each that choose each other", (t) => {
	fc.assert(
		fc.property(LARGE, (hosts) => {
			for (const id of hosts) {
				const kept = keptPeers(id, hosts);
				if (kept.size > MOST_KEPT || kept.has(id)) return false;
				if (![...kept].every((peer) => keptPeers(peer, hosts).has(id))) return false;
			}
			return reached(hosts).size === hosts.length;
		}),
		{ numRuns: 50 },
	);
	t.pass();
});

test("topology › does not depend on the order in which hosts are named", (t) => {
	const hosts = hostsOf(2, 30);
	const [first = ""] = hosts;
	t.deepEqual(
		[...keptPeers(first, hosts)].sort(),
		[...keptPeers(first, [...hosts].reverse())].sort(),
	);
});

test("topology › changes few links when a host joins", (t) => {
	fc.assert(
		fc.property(LARGE, fc.nat(), (hosts, seed) => {
			const joined = [...hosts, idOf(`joins ${seed}`)];
			const changed = hosts.filter((id) => {
				const after = keptPeers(id, joined);
				return [...keptPeers(id, hosts)].some((peer) => !after.has(peer));
			});
			return changed.length <= MOST_KEPT;
		}),
		{ numRuns: 50 },
	);
	t.pass();
});

test("topology › connects the rest when any hosts are out of reach", (t) => {
	fc.assert(
		fc.property(LARGE, fc.nat({ max: 2 ** 30 }), (hosts, bits) => {
			const lost = new Set(hosts.filter((_, at) => ((bits >> (at % 30)) & 1) === 1));
			return reached(hosts, lost).size === hosts.length - lost.size;
		}),
		{ numRuns: 50 },
	);
	t.pass();
});
