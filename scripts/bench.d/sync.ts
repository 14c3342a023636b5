// How fast documents get from host to host: two hosts in one process, over TLS on loopback, replicas in memory (no fsync).
import { dialPeer, listenForPeers } from "@knib/sync";
import { makeHost, until } from "../../test/sync/hosts.ts";

const ROUNDS = 300;
const DOCUMENTS = 10_000;

const cluster = { members: new Set<string>() };
const rarely = { timeoutMs: 10_000, digestEveryMs: 600_000 };
const [a, b] = [makeHost(cluster, rarely), makeHost(cluster, rarely)];
const listener = await listenForPeers({
	privateKey: b.privateKey,
	host: "127.0.0.1",
	port: 0,
	isMember: (id) => cluster.members.has(id),
	onLink: (link) => {
		b.mesh.add(link);
	},
});
const call = { privateKey: a.privateKey, host: "127.0.0.1", port: listener.port, peer: b.id };

a.mesh.add(await dialPeer(call));
const times: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
	const arrived = new Promise<void>((resolve) => {
		const end = b.replica.subscribe(() => {
			end();
			resolve();
		});
	});
	const start = performance.now();
	await a.put("job", `j${round}`, { state: "running", round });
	await arrived;
	times.push(performance.now() - start);
}
times.sort((x, y) => x - y);
const at = (part: number): string => (times[Math.floor(times.length * part)] ?? 0).toFixed(1);
console.log(`one document, ${ROUNDS} times: median ${at(0.5)} ms, p99 ${at(0.99)} ms`);

a.mesh.drop(b.id, "the next measurement");
await until("the link to be gone", () => b.mesh.connected().length === 0);
for (let n = 0; n < DOCUMENTS; n += 1) await a.put("backup", `b${n}`, { n, state: "BackedUp" });
const start = performance.now();
a.mesh.add(await dialPeer(call));
await until(
	"all documents",
	async () => (await b.replica.list("backup")).length === DOCUMENTS,
	120_000,
);
console.log(`${DOCUMENTS} documents to a new peer: ${Math.round(performance.now() - start)} ms`);
for (const host of [a, b]) host.mesh.close();
await listener.close();
