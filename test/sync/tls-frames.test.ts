// What a member gone bad can do through the real door, TLS and WebSocket and all. SYNC_FRAMES=100000 throws that many at it.
import {
	createSigner,
	dialPeer,
	type Frame,
	type Link,
	listenForPeers,
	nextKey,
	parseFrame,
} from "@knib/sync";
import test from "ava";
import { contents, makeHost, newPrivateKey, ownedBy, type TestHost, until } from "./hosts.ts";
import { randomFrom } from "./random.ts";

const FRAMES = Number(process.env["SYNC_FRAMES"] ?? 5000);
const SEED = Number(process.env["SYNC_SEED"] ?? Date.now() % 1_000_000);
/** Frames sent before the door is given time to read them. */
const BURST = 50;
/** An oversized frame ends its link, and takes long to send. */
const OVERSIZED_EVERY = 2500;
const MOST_HEAP = 200 * 1024 * 1024;

/** Frames of each sort that a bad member may send: valid, mutated, noise, forged, replayed. */
const frameSource = async (host: TestHost, bad: TestHost, random: () => number) => {
	const job = { kind: "job", id: "j1", owner: host.id, ver: 9, body: {} } as const;
	const forged = ownedBy(bad.sign, job);
	// As if the host had signed for a key of the bad one.
	const claim = nextKey({ ...host.key(), privateKey: bad.key().privateKey }, newPrivateKey());
	const claimed = ownedBy(
		createSigner(() => claim),
		job,
	);
	const replayed = await host.replica.list("job");
	const checkpoint = { epoch: "bad", seq: 1 };
	const answer = (id: number, kind: "job" | "offering"): Frame => ({
		...{ type: "docs", id, kind, checkpoint, more: false },
		documents: [forged, claimed, ...replayed, { nonsense: true }],
	});
	const valid = (): Frame => {
		const id = Math.floor(random() * 20);
		const all: readonly Frame[] = [
			{ type: "dirty", kind: "job" },
			{ type: "since", id, kind: "job", limit: 500 },
			{ type: "digest", kind: "offering", digest: "0".repeat(64) },
			{ type: "ack", kind: "job", checkpoint: { epoch: host.replica.epoch, seq: id } },
			{ type: "call", id, method: "job.plan", params: { request: null } },
			{ type: "stop", id },
			answer(id, random() < 0.9 ? "job" : "offering"),
		];
		return all[Math.floor(random() * all.length)] ?? { type: "dirty", kind: "job" };
	};
	const noise = (): string =>
		Array.from({ length: Math.floor(random() * 200) }, () =>
			String.fromCharCode(random() * 0x2000),
		).join("");
	const mutated = (): string => {
		const text = JSON.stringify(valid());
		const at = Math.floor(random() * text.length);
		return text.slice(0, at) + String.fromCharCode(random() * 256) + text.slice(at + 1);
	};
	return {
		answer,
		next: (sent: number): string => {
			if (sent % OVERSIZED_EVERY === OVERSIZED_EVERY - 1) return "x".repeat(17 * 1024 * 1024);
			const what = random();
			if (what < 0.005) return noise();
			return what < 0.02 ? mutated() : JSON.stringify(valid());
		},
	};
};

/** Calls the door as `bad`, says hello and answers each question with what it should not. */
const enter = async (
	bad: TestHost,
	port: number,
	peer: string,
	answer: (question: Frame) => void,
) => {
	const { key } = bad;
	const link = await dialPeer({ key, host: "127.0.0.1", port, peer });
	const state = { open: true };
	link.listen({
		message: (text) => {
			answer(JSON.parse(text));
		},
		closed: () => {
			state.open = false;
		},
	});
	const kinds = { job: 1, offering: 1 };
	const hello = { type: "hello", protocol: 1, node: bad.id, epoch: "bad", schemaVersions: kinds };
	link.send(JSON.stringify({ ...hello, wallClock: Date.now() }));
	return { link, state };
};

/** Resolves when the socket has taken what was sent, or the link has ended. */
const drained = (link: Link, state: { readonly open: boolean }): Promise<void> =>
	until("the frames to be taken", () => !state.open || link.waiting() === 0);

test("frames › through the real door, by the thousand, change nothing, end nothing and leave memory bounded", async (t) => {
	t.timeout(600_000);
	t.log(`seed ${SEED}, ${FRAMES} frames`);
	const random = randomFrom(SEED);
	const cluster = { members: new Set<string>() };
	const host = makeHost(cluster, { digestEveryMs: 60_000 });
	const [bad, good] = [makeHost(cluster), makeHost(cluster)];
	for (const one of [host, bad]) one.rotate();
	const listener = await listenForPeers({
		...{ key: host.key, host: "127.0.0.1", port: 0 },
		isMember: (id) => cluster.members.has(id),
		onLink: (link) => {
			host.mesh.add(link);
		},
	});
	await host.put("job", "j1", { state: "running" });
	await host.write("offering", "o1", { name: "gold" });
	const before = await contents(host);
	const source = await frameSource(host, bad, random);
	const heapBefore = process.memoryUsage().heapUsed;
	let links = 0;
	const open = async () => {
		links += 1;
		const opened = await enter(bad, listener.port, host.id, (question) => {
			if (question.type !== "since") return;
			const kind = question.kind === "offering" ? "offering" : "job";
			opened.link.send(
				JSON.stringify({ ...source.answer(question.id, kind), kind: question.kind }),
			);
		});
		return opened;
	};
	let { link, state } = await open();
	for (let sent = 0; sent < FRAMES; sent += 1) {
		if (!state.open) ({ link, state } = await open());
		const text = source.next(sent);
		link.send(text);
		// What is no frame ends the link: what is sent after it would reach nobody.
		if (parseFrame(text) === undefined) {
			await until("the link to be closed", () => !state.open);
		} else if (sent % BURST === 0) {
			await drained(link, state);
			await new Promise((resolve) => setImmediate(resolve));
		}
	}
	await drained(link, state);
	const { garbage, unexpected, dropped } = host.mesh.counts(bad.id);
	const grown = process.memoryUsage().heapUsed - heapBefore;
	t.log({ links, garbage, unexpected, dropped, heapGrownMiB: Math.round(grown / 1024 / 1024) });
	t.is(await contents(host), before);
	t.true(garbage > 0 && unexpected > 0 && dropped.signature > 0 && dropped.schema > 0);
	t.true(grown < MOST_HEAP);
	link.close("that is all");

	const { key } = good;
	const call = { key, host: "127.0.0.1", port: listener.port, peer: host.id };
	good.mesh.add(await dialPeer(call));
	await until("a good peer to read", async () => (await good.replica.list("job")).length === 1);
	for (const one of [host, bad, good]) one.mesh.close();
	await listener.close();
});
