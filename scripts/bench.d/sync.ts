// How fast documents get from host to host: every host a process of its own with a durable store, fsynced at both ends, over pinned TLS
// on loopback. Parts: one, newcomer, many, open; without a name all of them, one after the other.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchHost, startHost } from "./sync-protocol.ts";

const ROUNDS = 300;
const NEW_PEER = 10_000;
const HOSTS = 50;
/** Of fifty hosts together; BENCH_DOCUMENTS asks for fewer on a small machine. */
const MANY = Number(process.env["BENCH_DOCUMENTS"] ?? 20_000);
const STORED = 100_000;
/** Hosts at these distances around the ring are linked, so that no two are more than a few links apart. */
const DISTANCES = [1, 7];

const directory = await mkdtemp(join(tmpdir(), "knib-bench-sync-"));
const rows: (readonly [string, string])[] = [];
const note = (what: string, figure: string): void => {
	rows.push([what, figure]);
	console.log(`${what.padEnd(58)} ${figure}`);
};
const inMs = (value: number): string => `${value.toFixed(1)} ms`;
const inS = (value: number): string => `${(value / 1000).toFixed(1)} s`;
const at = (sorted: readonly number[], part: number): number =>
	sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
const ascending = (values: readonly number[]): readonly number[] =>
	values.toSorted((a, b) => a - b);
/** Milliseconds on the clock of the hosts. */
const now = (): number => performance.timeOrigin + performance.now();

let started = 0;
const hostsOf = async (count: number): Promise<readonly BenchHost[]> => {
	const hosts: BenchHost[] = [];
	for (let n = 0; n < count; n += 1) {
		started += 1;
		hosts.push(await startHost(join(directory, `host-${started}`)));
	}
	const ids = hosts.map(({ id }) => id);
	for (const host of hosts) await host.ask({ type: "members", ids }, "done");
	return hosts;
};
const end = async (hosts: readonly BenchHost[]): Promise<void> => {
	for (const host of hosts) await host.end();
};
const two = async (): Promise<readonly [BenchHost, BenchHost]> => {
	const [a, b] = await hostsOf(2);
	if (a === undefined || b === undefined) throw new Error("two hosts");
	return [a, b];
};

const one = async (): Promise<void> => {
	const [a, b] = await two();
	await a.ask({ type: "link", peers: [b] }, "done");
	const times: number[] = [];
	for (let round = 0; round < ROUNDS; round += 1) {
		const arrived = b.next("one");
		const put = await a.ask({ type: "put", id: `one${round}` }, "put");
		times.push((await arrived).at - put.at);
		await a.next("one");
	}
	const sorted = ascending(times);
	note(`one document, durable at both ends, ${ROUNDS} times: median`, inMs(at(sorted, 0.5)));
	note("one document: p99", inMs(at(sorted, 0.99)));
	await end([a, b]);
};

const newcomer = async (): Promise<void> => {
	const [a, b] = await two();
	await a.ask({ type: "write", prefix: "d", count: NEW_PEER }, "done");
	await b.ask({ type: "await", count: NEW_PEER }, "done");
	const from = now();
	await a.ask({ type: "link", peers: [b] }, "done");
	note(`${NEW_PEER} documents to a new peer`, inS((await b.next("there")).at - from));
	const { bytes } = await b.ask({ type: "state" }, "state");
	note(`${NEW_PEER} documents to a new peer: bytes`, `${Math.round(bytes.received / 1e6)} MB`);
	await end([a, b]);
};

const many = async (): Promise<void> => {
	const hosts = await hostsOf(HOSTS);
	for (const [n, host] of hosts.entries()) {
		const peers = DISTANCES.flatMap((far) => hosts[(n + far) % HOSTS] ?? []);
		await host.ask({ type: "link", peers }, "done");
	}
	for (const host of hosts) await host.ask({ type: "await", count: MANY }, "done");
	const from = now();
	const count = MANY / HOSTS;
	const there = Promise.all(hosts.map((host) => host.next("there")));
	await Promise.all(
		hosts.map((host, n) => host.ask({ type: "write", prefix: `h${n}-`, count }, "done")),
	);
	const took = Math.max(...(await there).map((each) => each.at)) - from;
	const states = [];
	for (const host of hosts) states.push(await host.ask({ type: "state" }, "state"));
	if (new Set(states.map(({ digest }) => digest)).size !== 1) throw new Error("digests differ");
	const links = 2 * DISTANCES.length;
	note(`${HOSTS} hosts of ${links} links, ${MANY} documents: all alike after`, inS(took));
	const received = ascending(states.map(({ bytes }) => bytes.received / 1e6));
	note("bytes that a host received: median", `${at(received, 0.5).toFixed(0)} MB`);
	note("bytes that a host received: most", `${at(received, 1).toFixed(0)} MB`);
	const resident = ascending(states.map(({ residentMiB }) => residentMiB));
	note("memory of a host: median", `${at(resident, 0.5).toFixed(0)} MiB`);
	note("memory of a host: most", `${at(resident, 1).toFixed(0)} MiB`);
	await end(hosts);
};

const open = async (): Promise<void> => {
	const dir = join(directory, "stored");
	const writer = await startHost(dir);
	await writer.ask({ type: "write", prefix: "d", count: STORED }, "done");
	await writer.end();
	const reader = await startHost(dir);
	const state = await reader.ask({ type: "state" }, "state");
	if (state.documents !== STORED) throw new Error(`${state.documents} documents`);
	note(`a store of ${STORED} documents: opened and checked`, inS(state.openMs));
	note("the same: all of them signed and listed for a peer", inS(state.listMs));
	note("the same: memory", `${state.residentMiB.toFixed(0)} MiB`);
	const size = execFileSync("du", ["-sm", dir], { encoding: "utf8" }).split("\t")[0];
	note("the same: on disk", `${size} MiB`);
	await reader.end();
};

const PARTS: Readonly<Record<string, () => Promise<void>>> = { one, newcomer, many, open };
const asked = process.argv.slice(2);
const unknown = asked.find((name) => PARTS[name] === undefined);
if (unknown !== undefined)
	throw new Error(`${unknown} is none of ${Object.keys(PARTS).join(", ")}`);
try {
	for (const name of asked.length > 0 ? asked : Object.keys(PARTS)) await PARTS[name]?.();
	console.log(`\n| | |\n|---|---|\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}`);
} finally {
	await rm(directory, { recursive: true, force: true });
}
