// One host of the benchmark: a durable store, fsynced before it answers, and its part in the mesh, over TLS on loopback. Told what to do
// by the parent process.
import { generateKeyPairSync } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import {
	createMesh,
	createSigner,
	createVerifier,
	firstKey,
	keepDialing,
	type Link,
	listenForPeers,
	openRxStore,
	proveSuccession,
} from "@knib/sync";
import type { Asked, HostAt, Sent } from "./sync-protocol.ts";

// As knibd does.
setFlagsFromString("--semi-space-growth-factor=1");

const [, , dir = ""] = process.argv;
const own = firstKey(generateKeyPairSync("ed25519").privateKey);
const key = () => own;
const id = proveSuccession(own.succession)?.host ?? "";
const members = new Set([id]);
const verify = createVerifier();
const bytes = { sent: 0, received: 0 };
/** Milliseconds on a clock that all processes of this machine share. */
const now = (): number => performance.timeOrigin + performance.now();

const opened = performance.now();
const store = await openRxStore({
	dir,
	owner: id,
	sign: createSigner(key),
	onFatal: (error) => {
		throw error;
	},
});
const openMs = performance.now() - opened;

/** The same link, with what goes over it counted before it is encrypted. */
const counted = (link: Link): Link => ({
	...link,
	send: (text) => {
		bytes.sent += Buffer.byteLength(text);
		link.send(text);
	},
	listen: (listener) => {
		link.listen({
			...listener,
			message: (text) => {
				bytes.received += Buffer.byteLength(text);
				listener.message(text);
			},
		});
	},
});

const mesh = createMesh({
	self: id,
	replica: store.replica,
	judge: () => ({ isKnown: (host) => members.has(host), verify, wallMs: Date.now() }),
	members: () => [...members],
	// Fifty hosts share a few cores: an answer may take its time.
	timeoutMs: 120_000,
});
const listener = await listenForPeers({
	key,
	host: "127.0.0.1",
	port: 0,
	isMember: (host) => members.has(host),
	onLink: (link) => mesh.add(counted(link)),
});

/** About 500 bytes of JSON, as a job has. */
const body = (n: number): Record<string, unknown> => ({
	type: "Backup",
	host: `host-${n % 50}`,
	vm: { uuid: `11111111-2222-4333-8444-${String(n).padStart(12, "0")}`, name: `vm-${n % 200}` },
	state: "succeeded",
	reason: "the schedule asks for it",
	phase: { name: "merge-overlays", index: 8, count: 9 },
	attempts: 1,
	createdAt: "2026-01-02T03:04:05.000Z",
	startedAt: "2026-01-02T03:04:06.000Z",
	endedAt: "2026-01-02T03:05:05.000Z",
	result: { id: `0196f000-0000-7000-8000-${String(n).padStart(12, "0")}`, bytes: 1000 * n },
	warnings: [],
});

const write = async (prefix: string, count: number): Promise<void> => {
	for (let n = 0; n < count; n += 100) {
		const documents = Array.from({ length: Math.min(100, count - n) }, (_, at) => ({
			id: `${prefix}${n + at}`,
			body: body(n + at),
		}));
		await store.putMany("job", documents);
	}
};

let held = 0;
let awaited = Number.POSITIVE_INFINITY;
const say = (message: Sent): void => {
	process.send?.(message);
};
const tellWhenThere = (): void => {
	if (held < awaited) return;
	awaited = Number.POSITIVE_INFINITY;
	say({ type: "there", at: now() });
};
// Told once it is durable; every document of this benchmark is written once.
store.subscribe("job", ({ document }) => {
	held += 1;
	if (document.id.startsWith("one")) say({ type: "one", id: document.id, at: now() });
	tellWhenThere();
});

/** Calls peers, again whenever a link ends, and waits for the first links. */
const link = (peers: readonly HostAt[]): Promise<unknown> =>
	Promise.all(
		peers.map(
			({ id: peer, port }) =>
				new Promise<void>((resolve) => {
					keepDialing({ key, host: "127.0.0.1", port, peer }, (open, ended) => {
						mesh.add(counted(open), ended);
						resolve();
					});
				}),
		),
	);

const answers: { readonly [K in Asked["type"]]: (asked: Asked & { type: K }) => Promise<Sent> } = {
	members: async ({ ids }) => {
		for (const one of ids) members.add(one);
		return { type: "done" };
	},
	link: async ({ peers }) => {
		await link(peers);
		return { type: "done" };
	},
	write: async ({ prefix, count }) => {
		await write(prefix, count);
		return { type: "done" };
	},
	put: async ({ id: document }) => {
		const at = now();
		await store.put("job", document, body(0));
		return { type: "put", at };
	},
	await: async ({ count }) => {
		awaited = count;
		tellWhenThere();
		return { type: "done" };
	},
	state: async () => {
		const listed = performance.now();
		const documents = await store.replica.list("job");
		const listMs = performance.now() - listed;
		return {
			type: "state",
			...{ openMs, listMs, bytes, documents: documents.length },
			digest: await store.replica.digest("job"),
			residentMiB: process.memoryUsage.rss() / 2 ** 20,
		};
	},
	end: async () => {
		mesh.close();
		await listener.close();
		await store.close();
		return { type: "done" };
	},
};

// Whoever asked has what it wanted, or is gone.
process.on("disconnect", () => process.exit(0));
process.on("message", (asked: Asked) => {
	const answer = answers[asked.type] as (asked: Asked) => Promise<Sent>;
	void answer(asked).then(say);
});
say({ type: "ready", id, port: listener.port });
