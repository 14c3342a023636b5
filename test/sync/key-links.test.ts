// Links of hosts whose keys change: each shows how its key follows from the first one, and one that it has left opens no door.
import { continues, judgeDocument } from "@knib/core";
import {
	askToPair,
	createSigner,
	createVerifier,
	dialPeer,
	type HostKey,
	type KeyRules,
	type Link,
	type ListenOptions,
	listenForPeers,
	nextKey,
} from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import { makeHost, newPrivateKey, ownedBy, type TestHost, until, untilEqual } from "./hosts.ts";

const PLACE = { host: "127.0.0.1", port: 0 };

/** Refuses of the host what does not go on from the key, and notes what is told. */
const rulesOf = (host: TestHost, known: { of: TestHost; key: HostKey | undefined }) => {
	const told: string[] = [];
	const rules: KeyRules = {
		key: host.key,
		newerKeys: ({ host: id, succession }) => {
			const newest = id === known.of.id ? known.key?.succession : undefined;
			return newest === undefined || continues(succession, newest) ? undefined : newest;
		},
		onToldKeys: (succession) => told.push(succession),
	};
	return { rules, told };
};

const open = async (
	t: ExecutionContext,
	host: TestHost,
	rules: KeyRules,
	more: Partial<ListenOptions> = {},
) => {
	const shown: (string | undefined)[] = [];
	const listener = await listenForPeers({
		...{ ...PLACE, ...rules, isMember: () => true },
		onLink: (link: Link) => {
			shown.push(link.succession);
			host.mesh.add(link);
		},
		...more,
	});
	t.teardown(() => listener.close());
	t.teardown(() => host.mesh.close());
	return { listener, shown, call: { host: PLACE.host, port: listener.port, peer: host.id } };
};

const two = () => {
	const cluster = { members: new Set<string>() };
	return { a: makeHost(cluster), b: makeHost(cluster) };
};

test("key links › are taken with a later key in both directions, and carry what each key has signed", async (t) => {
	const { a, b } = two();
	const { listener, shown, call } = await open(t, b, { key: b.key });
	await a.put("job", "by the first key", {});
	a.rotate();
	a.rotate();
	b.rotate();
	listener.renew();
	await a.put("job", "by the third key", {});
	const link = await dialPeer({ ...call, key: a.key });
	t.is(link.succession, b.key().succession);
	a.mesh.add(link);
	await untilEqual([a, b]);
	t.deepEqual(shown, [a.key().succession]);
	t.is((await b.replica.list("job")).length, 2);
	t.is(b.mesh.counts(a.id).dropped.signature, 0);
});

test("key links › of a caller with a key that it has left are refused, and it is told why with the proof", async (t) => {
	const { a, b } = two();
	const old = a.key();
	a.rotate();
	const { rules } = rulesOf(b, { of: a, key: a.key() });
	const { listener, shown, call } = await open(t, b, rules);
	const told: string[] = [];
	const retired: KeyRules = { key: () => old, onToldKeys: (keys) => told.push(keys) };
	await t.throwsAsync(dialPeer({ ...call, ...retired }), { message: /refuses the link/ });
	t.deepEqual(told, [a.key().succession]);
	const branched = nextKey(nextKey(old, newPrivateKey()), newPrivateKey());
	await t.throwsAsync(dialPeer({ ...call, ...retired, key: () => branched }));
	t.is(told.length, 2);
	t.is(listener.refused(), 2);
	t.deepEqual(shown, []);
	a.mesh.add(await dialPeer({ ...call, key: a.key }));
	await until("the link", () => b.mesh.connected().length === 1);
});

test("key links › to a host that shows a key which it has left are not made, and it is told why", async (t) => {
	const { a, b } = two();
	const old = b.key();
	b.rotate();
	const told: string[] = [];
	const { call } = await open(t, b, { key: () => old, onToldKeys: (keys) => told.push(keys) });
	const { rules } = rulesOf(a, { of: b, key: b.key() });
	await t.throwsAsync(dialPeer({ ...call, ...rules }), { message: /a key that the host has left/ });
	await until("it to be told", () => told.length === 1);
	t.deepEqual(told, [b.key().succession]);
});

test("key links › of who has the id from a key that is not the host's are refused", async (t) => {
	const { a, b } = two();
	const { listener, call } = await open(t, b, { key: b.key }, { isMember: (id) => id === a.id });
	// The succession of the host, with a private key that is somebody else's.
	const thief = { privateKey: newPrivateKey(), succession: a.key().succession };
	await t.throwsAsync(dialPeer({ ...call, key: () => thief }));
	const unsigned = nextKey({ ...thief, succession: a.key().succession }, newPrivateKey());
	await t.throwsAsync(dialPeer({ ...call, key: () => unsigned }));
	t.is(listener.refused(), 2);
});

test("key links › pair with the newest key only, on both sides", async (t) => {
	const { a, b } = two();
	const old = { a: a.key(), b: b.key() };
	a.rotate();
	b.rotate();
	const ofA = rulesOf(b, { of: a, key: a.key() });
	const pair = async (peer: string, request: unknown) => ({ peer, request });
	const { call, listener } = await open(t, b, ofA.rules, { pair });
	const ofB = rulesOf(a, { of: b, key: b.key() });
	t.deepEqual(await askToPair({ ...call, ...ofB.rules }, 1), { peer: a.id, request: 1 });
	await t.throwsAsync(askToPair({ ...call, ...ofB.rules, key: () => old.a }, 1), {
		code: "PAIRING_FAILED",
		message: /replaced by a newer one/,
	});
	t.is(listener.refused(), 1);
	const behind = await open(t, b, { key: () => old.b }, { pair });
	await t.throwsAsync(askToPair({ ...behind.call, ...ofB.rules }, 1), {
		code: "PEER_UNREACHABLE",
		message: /a key that the host has left/,
	});
});

test("key links › bring documents that any key of a host has signed, and none of a key that is not its", async (t) => {
	const { a, b } = two();
	const { a: other } = two();
	const first = a.sign;
	await a.put("job", "j1", {});
	const [j1] = await a.replica.list("job");
	a.rotate();
	const thief = nextKey({ ...a.key(), privateKey: newPrivateKey() }, newPrivateKey());
	t.truthy(j1);
	const job = (sign: (text: string) => string, id: string) =>
		ownedBy(sign, { kind: "job", id, owner: a.id, ver: 9, body: {} });
	const verify = createVerifier();
	const judge = { isKnown: () => true, verify, wallMs: Date.now() };
	t.true(judgeDocument(j1, judge).accepted);
	t.true(judgeDocument(job(first, "j2"), judge).accepted);
	for (const sign of [createSigner(() => thief), other.sign, b.sign]) {
		t.like(judgeDocument(job(sign, "j3"), judge), { accepted: false, reason: "signature" });
	}
});
