import { request } from "node:https";
import { connect } from "node:tls";
import {
	dialPeer,
	isDialer,
	keepDialing,
	type Listener,
	listenForPeers,
	pauseMs,
} from "@knib/sync";
import test from "ava";
import { aKey, idOf, makeHost, type TestHost, until, untilEqual } from "./hosts.ts";

const HOST = "127.0.0.1";

const open = (host: TestHost, isMember: (id: string) => boolean, port = 0): Promise<Listener> =>
	listenForPeers({
		key: host.key,
		host: HOST,
		port,
		isMember,
		onLink: (link) => {
			host.mesh.add(link);
		},
	});

const pair = () => {
	const cluster = { members: new Set<string>() };
	const hosts = [makeHost(cluster), makeHost(cluster)].sort((a, b) => (a.id < b.id ? -1 : 1));
	const [dialer, other] = hosts;
	if (dialer === undefined || other === undefined) throw new Error("no hosts");
	return { cluster, dialer, other };
};

test("socket link › carries documents both ways, and again after the listener was away", async (t) => {
	const { cluster, dialer, other } = pair();
	t.true(isDialer(dialer.id, other.id));
	const isMember = (id: string) => cluster.members.has(id);
	const first = await open(other, isMember);
	const { port } = first;
	const stop = keepDialing({ key: dialer.key, host: HOST, port, peer: other.id }, (link, ended) => {
		dialer.mesh.add(link, ended);
	});
	await dialer.put("job", "j1", { state: "running" });
	await other.write("offering", "o1", { name: "gold" });
	await untilEqual([dialer, other]);
	await first.close();
	await until("the link to be gone", () => dialer.mesh.connected().length === 0);
	await other.put("job", "j2", { state: "running" });
	const second = await open(other, isMember, port);
	await until(
		"both jobs on the dialer",
		async () => (await dialer.replica.list("job")).length === 2,
	);
	stop();
	for (const host of [dialer, other]) host.mesh.close();
	await second.close();
});

test("socket link › refuses a stranger, and a host that is not the one called", async (t) => {
	const { cluster, dialer, other } = pair();
	const listener = await open(other, (id) => cluster.members.has(id));
	const unknown = aKey();
	const call = { host: HOST, port: listener.port };
	await t.throwsAsync(dialPeer({ ...call, key: () => unknown, peer: other.id }));
	t.is(listener.refused(), 1);
	const stranger = idOf(unknown);
	await t.throwsAsync(dialPeer({ ...call, key: dialer.key, peer: stranger }), {
		message: /another host answers/,
	});
	t.deepEqual(dialer.mesh.connected(), []);
	for (const host of [dialer, other]) host.mesh.close();
	await listener.close();
});

test("socket link › refuses callers without a certificate, or with an older TLS", async (t) => {
	const { cluster, dialer, other } = pair();
	const listener = await open(other, (id) => cluster.members.has(id));
	const status = await new Promise<number | undefined>((resolve, reject) => {
		request({
			host: HOST,
			port: listener.port,
			rejectUnauthorized: false,
			headers: {
				connection: "Upgrade",
				upgrade: "websocket",
				"sec-websocket-version": "13",
				"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
			},
		})
			.on("response", (response) => {
				response.resume();
				resolve(response.statusCode);
			})
			.on("error", reject)
			.end();
	});
	t.is(status, 401);
	await t.throwsAsync(
		new Promise<void>((resolve, reject) => {
			connect({
				host: HOST,
				port: listener.port,
				maxVersion: "TLSv1.2",
				rejectUnauthorized: false,
			})
				.on("secureConnect", resolve)
				.on("error", reject);
		}),
	);
	await until("both to be counted", () => listener.refused() >= 2);
	for (const host of [dialer, other]) host.mesh.close();
	await listener.close();
});

test("socket link › ends with a frame that is too large, and takes the next link", async (t) => {
	const { cluster, dialer, other } = pair();
	const listener = await open(other, (id) => cluster.members.has(id));
	const call = {
		key: dialer.key,
		host: HOST,
		port: listener.port,
		peer: other.id,
	};
	const link = await dialPeer(call);
	const ended = new Promise<string>((resolve) => {
		link.listen({ message: () => undefined, closed: resolve });
	});
	link.send("x".repeat(17 * 1024 * 1024));
	await ended;
	await until("the link to be gone", () => other.mesh.connected().length === 0);
	t.is(other.mesh.counts(dialer.id).garbage, 1);
	dialer.mesh.add(await dialPeer(call));
	await other.put("job", "j1", {});
	await untilEqual([dialer, other]);
	t.is((await dialer.replica.list("job")).length, 1);
	for (const host of [dialer, other]) host.mesh.close();
	await listener.close();
});

test("dialing › pauses longer after each failure, to a limit, never all hosts at once", (t) => {
	t.is(pauseMs(0, 0), 125);
	t.true(pauseMs(3, 0.5) > pauseMs(2, 0.5));
	t.true(pauseMs(1000, 0.999) <= 30_000);
	t.not(pauseMs(3, 0.1), pauseMs(3, 0.2));
});
