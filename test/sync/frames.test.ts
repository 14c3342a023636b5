// What a peer can do with frames: a member gone bad, at one end of a link whose other end is a real host.
// SYNC_FRAMES=100000 throws that many at a host.
import { createMemoryLink, type Frame, type Link, parseFrame } from "@knib/sync";
import test from "ava";
import { contents, makeHost, ownedBy, type TestHost, until } from "./hosts.ts";
import { randomFrom } from "./random.ts";

const FRAMES = Number(process.env["SYNC_FRAMES"] ?? 10_000);
const SEED = Number(process.env["SYNC_SEED"] ?? Date.now() % 1_000_000);

type Hello = Extract<Frame, { type: "hello" }>;

const hello = (node: string, changes: Partial<Hello> = {}): Hello => ({
	type: "hello",
	protocol: 1,
	node,
	epoch: "bad",
	wallClock: Date.now(),
	schemaVersions: { job: 1, offering: 1 },
	...changes,
});

/** A link to `host` on which the peer says what it likes; `answer` gives the documents for each question. */
const enter = (host: TestHost, peer: TestHost, answer: () => readonly unknown[]) => {
	const [theirs, mine] = createMemoryLink(host.id, peer.id, (deliver) => {
		deliver();
	});
	const state = { closed: "" };
	mine.listen({
		message: (text) => {
			const frame = parseFrame(text);
			if (frame?.type !== "since") return;
			const { id, kind } = frame;
			const checkpoint = { epoch: "bad", seq: 1 };
			const documents = [...answer()];
			mine.send(JSON.stringify({ type: "docs", id, kind, documents, checkpoint, more: false }));
		},
		closed: (reason) => {
			state.closed = reason;
		},
	});
	host.mesh.add(theirs);
	return { link: mine, state };
};

const world = () => {
	const cluster = { members: new Set<string>() };
	const host = makeHost(cluster, { digestEveryMs: 60_000 });
	const bad = makeHost(cluster);
	const stranger = makeHost({ members: new Set<string>() });
	return { host, bad, stranger };
};

const say = (link: Link, frame: Frame): void => {
	link.send(JSON.stringify(frame));
};

const close = (...hosts: readonly TestHost[]): void => {
	for (const host of hosts) host.mesh.close();
};

test("frames › that are none close the link, which says why, and are counted", async (t) => {
	const { host, bad, stranger } = world();
	const noise = ["", "null", "[]", '{"type":"since"}', '{"type":"rm"}', "\u0000", "{"];
	for (const text of noise) {
		const { link, state } = enter(host, bad, () => []);
		link.send(text);
		await until("the link to be closed", () => state.closed !== "");
		t.is(state.closed, "the peer sent what is no frame");
	}
	t.is(host.mesh.counts(bad.id).garbage, noise.length);
	close(host, bad, stranger);
});

test("frames › before hello, under a foreign name, of another protocol or time close the link", async (t) => {
	const { host, bad, stranger } = world();
	const firsts: readonly (readonly [Frame, RegExp])[] = [
		[{ type: "dirty", kind: "job" }, /hello/],
		[hello(stranger.id), /names a host/],
		[hello(bad.id, { protocol: 2 }), /speaks protocol 2/],
		[hello(bad.id, { wallClock: Date.now() + 7_200_000 }), /clock is/],
	];
	for (const [frame, why] of firsts) {
		const { link, state } = enter(host, bad, () => []);
		say(link, frame);
		await until("the link to be closed", () => state.closed !== "");
		t.regex(state.closed, why);
	}
	close(host, bad, stranger);
});

test("frames › with forged and foreign documents change nothing, are counted, and spoil nothing else", async (t) => {
	const { host, bad, stranger } = world();
	await host.put("job", "j1", { state: "running" });
	const before = await contents(host);
	const foreign = (owner: string, sign: (text: string) => string) =>
		ownedBy(sign, { kind: "job", id: "j1", owner, ver: 99, body: { state: "done" } });
	const { link } = enter(host, bad, () => [
		foreign(host.id, bad.sign),
		foreign(stranger.id, stranger.sign),
		{ nonsense: true },
	]);
	say(link, hello(bad.id, { schemaVersions: { job: 1 } }));
	await until("all to be counted", () => host.mesh.counts(bad.id).dropped.schema === 1);
	const { dropped } = host.mesh.counts(bad.id);
	t.deepEqual(dropped, { size: 0, schema: 1, writer: 1, clock: 0, signature: 1 });
	t.is(await contents(host), before);
	close(host, bad, stranger);
});

test("frames › of a kind that the peer writes in a newer way are held, the others go on", async (t) => {
	const { host, bad, stranger } = world();
	const newer = ownedBy(bad.sign, { kind: "job", id: "n", owner: bad.id, ver: 1, body: {} });
	const alert = ownedBy(bad.sign, { kind: "alert", id: "n", owner: bad.id, ver: 2, body: {} });
	const { link } = enter(host, bad, () => [newer, alert]);
	say(link, hello(bad.id, { schemaVersions: { job: 2, alert: 1 } }));
	say(link, { type: "dirty", kind: "job" });
	await until("the alert", async () => (await host.replica.list("alert")).length === 1);
	t.is((await host.replica.list("job")).length, 0);
	close(host, bad, stranger);
});

test("frames › by the thousand, random, mutated, forged and replayed, change nothing and leave memory bounded", async (t) => {
	t.timeout(180_000);
	t.log(`seed ${SEED}, ${FRAMES} frames`);
	const random = randomFrom(SEED);
	const { host, bad, stranger } = world();
	await host.put("job", "j1", { state: "running" });
	await host.write("offering", "o1", { name: "gold" });
	const before = await contents(host);
	const forged = ownedBy(bad.sign, { kind: "job", id: "j1", owner: host.id, ver: 9, body: {} });
	const replayed = await host.replica.list("job");
	const valid: readonly Frame[] = [
		{ type: "dirty", kind: "job" },
		{ type: "since", id: 1, kind: "job", limit: 500 },
		{ type: "digest", kind: "offering", digest: "0".repeat(64) },
		{
			type: "docs",
			id: 1,
			kind: "job",
			documents: [forged, ...replayed],
			checkpoint: { epoch: "bad", seq: 1 },
			more: false,
		},
		hello(bad.id),
	];
	const texts = valid.map((frame) => JSON.stringify(frame));
	const one = (): string => {
		const text = texts[Math.floor(random() * texts.length)] ?? "";
		if (random() < 0.9) return text;
		const at = Math.floor(random() * text.length);
		return text.slice(0, at) + String.fromCharCode(random() * 256) + text.slice(at + 1);
	};
	const answer = () => [forged, ...replayed];
	const heapBefore = process.memoryUsage().heapUsed;
	let { link, state } = enter(host, bad, answer);
	link.close("the first of many");
	let links = 0;
	for (let sent = 0; sent < FRAMES; sent += 1) {
		if (state.closed !== "") {
			({ link, state } = enter(host, bad, answer));
			say(link, hello(bad.id));
			links += 1;
			await new Promise((resolve) => setImmediate(resolve));
		}
		link.send(one());
		await Promise.resolve();
	}
	const { garbage, unexpected, dropped } = host.mesh.counts(bad.id);
	t.log({ links, garbage, unexpected, dropped });
	t.is(await contents(host), before);
	t.true(garbage > 0 && unexpected > 0 && dropped.signature > 0);
	t.true(process.memoryUsage().heapUsed - heapBefore < 200 * 1024 * 1024);
	close(host, bad, stranger);
});
