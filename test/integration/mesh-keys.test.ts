// Real daemons that change their keys: beside linked peers and absent ones, killed on the way, and brought back from old copies.
import { cp, rm } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { loadIdentity } from "../../apps/host-daemon/src/identity.ts";
import { aMeshHost, connectedTo, type MeshHost, pair, until } from "../support/mesh-hosts.ts";

const stateDir = (host: MeshHost): string => host.env["KNIB_STATE_DIR"] ?? "";

/** Hosts in the order of their ids, paired: of two the earlier one calls. */
const hostsInOrder = async (t: ExecutionContext, names: readonly string[]) => {
	const hosts: MeshHost[] = [];
	for (const name of names) hosts.push(await aMeshHost(t, name));
	const [first, ...others] = hosts;
	if (first === undefined) throw new Error("no hosts");
	for (const other of others) await pair(first, other, "admin");
	for (const host of hosts) await connectedTo(host, hosts.length - 1);
	return hosts.sort((a, b) => (a.id < b.id ? -1 : 1));
};

const rotate = async (host: MeshHost): Promise<number> => {
	const outcome = await host.api.peer.rotateKey.mutate({ dryRun: false });
	return outcome.done ? outcome.result.number : 0;
};

const untilKeyOf = (peer: MeshHost, at: MeshHost, number: number) =>
	until(
		`${at.name} to know key ${number} of ${peer.name}`,
		() => at.api.peer.show.query({ peer: peer.id }),
		({ key, state }) => key.number === number && key.since !== null && state === "connected",
	);

const isOfKey = (problem: string): boolean => /was replaced by key/.test(problem);

const untilAlike = (hosts: readonly MeshHost[]) =>
	until(
		"equal replicas",
		async () =>
			(await Promise.all(hosts.map((host) => host.api.peer.digest.query()))).map((all) =>
				JSON.stringify(all),
			),
		(all) => new Set(all).size === 1,
	);

test.serial(
	"keys › of a linked host change without a restart: peers follow, and what it does goes on",
	async (t) => {
		t.timeout(300_000);
		const [a, b] = await hostsInOrder(t, ["alpha", "beta"]);
		if (a === undefined || b === undefined) throw new Error("no hosts");
		for (const [own, peer] of [
			[a, b],
			[b, a],
		] as const) {
			const { pid } = await own.api.daemon.info.query();
			await own.libvirt("down");
			const request = { type: "Backup", vm: "web01" } as const;
			const asked = await peer.api.job.ask.mutate({ host: own.name, request });
			const planned = await own.cli("peer", "rotate-key", "--dry-run", "--json");
			t.is(planned.code, 0, planned.stderr);
			t.regex(planned.stdout, /gives this host its key 2; its id stays/);
			t.is((await own.api.host.show.query({ host: own.name })).key?.number, 1);
			const done = await own.cli("peer", "rotate-key");
			t.is(done.stdout, "this host has its key 2 now\n", done.stderr);
			await untilKeyOf(own, peer, 2);
			await connectedTo(own, 1);
			t.like(await own.api.daemon.info.query(), { pid, host: { id: own.id } });
			await own.libvirt("up");
			const ended = await until(
				"the job to end",
				() => peer.api.job.show.query({ job: asked.id }).catch(() => undefined),
				(view) => typeof view?.endedAt === "string",
			);
			t.like(ended, { host: own.name, state: "failed", error: { code: "VM_NOT_FOUND" } });
		}
		t.regex((await b.cli("peer", "show", a.id)).stdout, /^key +2, since \d{4}-/m);
		t.regex((await a.cli("host", "show", "alpha")).stdout, /^key +\d/m);
		const { stdout } = await a.cli("event", "list");
		t.regex(stdout, /peer\.rotateKey/);
		t.is(await rotate(a), 3);
		await untilKeyOf(a, b, 3);
		await untilAlike([a, b]);
		for (const host of [a, b]) {
			t.is((await host.api.peer.conflicts.query()).length, 0);
		}
	},
);

test.serial(
	"keys › are taken by a peer that was away while they changed twice, whoever calls, and what older keys have signed is passed on",
	async (t) => {
		t.timeout(300_000);
		const [low, middle, high] = await hostsInOrder(t, ["alpha", "beta", "gamma"]);
		if (low === undefined || middle === undefined || high === undefined)
			throw new Error("no hosts");
		await low.api.offering.create.mutate({ name: "by the first key" });
		await untilAlike([low, middle, high]);
		await middle.kill();
		for (const host of [low, high]) {
			t.is(await rotate(host), 2);
			t.is(await rotate(host), 3);
		}
		await untilKeyOf(low, high, 3);
		await untilKeyOf(high, low, 3);
		await middle.start();
		await connectedTo(middle, 2);
		for (const host of [low, high]) await untilKeyOf(host, middle, 3);
		await untilAlike([low, middle, high]);

		// One that joins while the one that wrote is away has it all from the others.
		await low.kill();
		const fresh = await aMeshHost(t, "delta");
		await pair(high, fresh, "admin");
		await connectedTo(fresh, 2);
		const others = [middle, high];
		await untilAlike([...others, fresh]);
		const offerings = await fresh.api.offering.list.query({ showRemoved: false });
		t.true(offerings.some(({ name }) => name === "by the first key"));
		const shown = await fresh.api.peer.show.query({ peer: low.id });
		t.is(shown.key.number, 3, "before it ever was linked");
		for (const host of others) {
			const { received } = await fresh.api.peer.show.query({ peer: host.id });
			t.is(received.dropped["signature"], 0);
		}
		await low.start();
		await connectedTo(low, 3);
		await untilAlike([low, middle, high, fresh]);
	},
);

test.serial(
	"keys › that a host has left open no door, also when its state is brought back, which says why",
	async (t) => {
		t.timeout(300_000);
		const [low, high] = await hostsInOrder(t, ["alpha", "beta"]);
		if (low === undefined || high === undefined) throw new Error("no hosts");
		for (const [own, peer] of [
			[low, high],
			[high, low],
		] as const) {
			await own.kill();
			await cp(stateDir(own), `${stateDir(own)}.old`, { recursive: true });
			await own.start();
			await connectedTo(own, 1);
			t.is(await rotate(own), 2);
			await untilKeyOf(own, peer, 2);
			await own.kill();
			await cp(stateDir(own), `${stateDir(own)}.new`, { recursive: true });

			await rm(stateDir(own), { recursive: true });
			await cp(`${stateDir(own)}.old`, stateDir(own), { recursive: true });
			await own.start();
			const shown = await until(
				"the host to know",
				() => own.api.host.show.query({ host: own.name }),
				({ problems }) => problems.some(isOfKey),
			);
			t.is(shown.state, "degraded");
			t.regex(shown.problems.join(), /key 1 of this host was replaced by key 2.*identity\.pem/);
			await until(
				"the alert",
				() => own.cli("event", "list"),
				({ stdout }) => /key replaced: key 1 of this host/.test(stdout),
			);
			await t.throwsAsync(rotate(own), { message: /was replaced by key 2/ });
			t.is((await own.api.peer.list.query())[0]?.state, "reconnecting");
			t.is((await peer.api.peer.list.query())[0]?.state, "reconnecting");

			// Its newest identity alone is enough.
			await own.kill();
			await cp(`${stateDir(own)}.new/identity.pem`, `${stateDir(own)}/identity.pem`);
			await own.start();
			await connectedTo(own, 1);
			await untilKeyOf(own, peer, 2);
			t.false((await own.api.host.show.query({ host: own.name })).problems.some(isOfKey));
			t.regex((await own.cli("event", "list")).stdout, /key replaced: over/);
			await untilAlike([low, high]);
		}
	},
);

test.serial("keys › are the old or the new one, whole, whenever the host is killed", async (t) => {
	t.timeout(300_000);
	const [a, b] = await hostsInOrder(t, ["alpha", "beta"]);
	if (a === undefined || b === undefined) throw new Error("no hosts");
	await a.kill();
	// As if it was killed when the key was durable, and nothing of it was told.
	const identity = await loadIdentity(stateDir(a));
	await identity.rotate(new Date().toISOString());
	await a.start();
	await untilKeyOf(a, b, 2);
	await connectedTo(a, 1);
	let number = 2;
	for (const afterMs of [0, 1, 2, 4, 8, 16]) {
		const { pid } = await a.api.daemon.info.query();
		const done = a.api.peer.rotateKey.mutate({ dryRun: false }).catch(() => undefined);
		await new Promise((resolve) => setTimeout(resolve, afterMs));
		process.kill(pid, "SIGKILL");
		await a.kill();
		await done;
		await a.start();
		const own = (await a.api.host.show.query({ host: a.name })).key?.number ?? 0;
		t.true(own === number || own === number + 1, `key ${own} after ${number}`);
		number = own;
		await connectedTo(a, 1);
		await untilKeyOf(a, b, number);
	}
	t.log(`key ${number} after 6 kills`);
	await untilAlike([a, b]);
});
