// Two hosts that have a VM of the same uuid, at one repository: they may begin at the same time, wherever the other one is.
import { chainEndReason } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { type BackupWorld, backupWorld, TARGETS } from "../support/backup-world.ts";

const backup = { type: "Backup", vm: "web01" } as const;

type Daemon = Awaited<ReturnType<BackupWorld["start"]>>;
type Host = { readonly world: BackupWorld; readonly daemon: Daemon; count: number };

/** What stands in the repository is whole: chains without problems, each of one host's disks, at most one of them open. */
const assertWhole = async (t: ExecutionContext, { world }: Host, when: string): Promise<void> => {
	const chains = await world.repository.chains(world.uuid);
	for (const { problems, members } of chains) {
		t.deepEqual(problems, [], when);
		const hosts = members.map(({ manifest }) => manifest.host.id);
		t.is(new Set(hosts).size, 1, `${when}: a chain of ${hosts.join(", ")}`);
		const fencings = members.map(({ manifest }) => manifest.identity.fencing);
		t.deepEqual(
			fencings,
			fencings.toSorted((a, b) => a - b),
			when,
		);
	}
	t.true(chains.filter((chain) => chainEndReason(chain) === null).length <= 1, when);
};

/** Both back up at once, after writes of their own; what was published holds its host's moment. */
const race = async (t: ExecutionContext, hosts: readonly Host[], when: string) => {
	const moments = hosts.map(({ world }) => world.view());
	const before = (await hosts[0]?.world.published())?.length ?? 0;
	const ends = await Promise.all(hosts.map(({ daemon }) => daemon.run(backup)));
	const won = ends.filter((end) => end?.state === "succeeded");
	const points = (await hosts[0]?.world.published()) ?? [];
	t.is(points.length - before, won.length, when);
	t.true(won.length > 0, `${when}: ${ends.map((end) => end?.error?.message).join("; ")}`);
	for (const [at, host] of hosts.entries()) {
		const end = ends[at];
		for (const target of TARGETS) t.true(host.world.overlays(target) <= 1, when);
		t.deepEqual(host.world.view(), moments[at], `${when}: the guest's data`);
		if (end?.state === "succeeded") {
			host.count += 1;
			const point = points.find(({ manifest }) => manifest.identity.id === end.backup);
			t.deepEqual(host.world.viewOfBackup(point?.path ?? ""), moments[at], when);
			continue;
		}
		t.true(["LEASE_HELD", "REFUSED"].includes(end?.error?.code ?? ""), JSON.stringify(end?.error));
		t.log(`${when}: ${end?.error?.message}`);
	}
	for (const host of hosts) await assertWhole(t, host, when);
};

const twoHosts = async (t: ExecutionContext) => {
	const a = await backupWorld(t);
	const b = await backupWorld(t, a);
	const hosts: Host[] = [];
	for (const world of [a, b]) hosts.push({ world, daemon: await world.start(), count: 0 });
	return hosts;
};

test("lease › two hosts race for one VM's chains: one at a time gets through, and no chain is torn", async (t) => {
	t.timeout(300_000);
	const hosts = await twoHosts(t);
	for (let round = 1; round <= 12; round += 1) {
		for (const [at, { world }] of hosts.entries()) world.write("vda", round, 10 * round + at);
		await race(t, hosts, `round ${round}`);
	}
	t.log(`${hosts.map(({ count }) => count).join(" and ")} backups`);
	for (const { world, daemon } of hosts) {
		const moment = world.view();
		const alone = await daemon.run(backup);
		t.is(alone?.state, "succeeded", alone?.error?.message);
		const point = (await world.published()).find(
			({ manifest }) => manifest.identity.id === alone?.backup,
		);
		t.deepEqual(world.viewOfBackup(point?.path ?? ""), moment);
		await daemon.service.stop();
	}
});

test("lease › a host that planned before another one published does not go on from what it planned on", async (t) => {
	const [first, second] = await twoHosts(t);
	if (first === undefined || second === undefined) throw new Error("two hosts");
	// The second one has made its plan and stands right before the lease until the first one is done.
	const { lease } = second.world.repository;
	let go = (): void => undefined;
	const gate = new Promise<void>((resolve) => {
		go = resolve;
	});
	let arrive = (): void => undefined;
	const arrived = new Promise<void>((resolve) => {
		arrive = resolve;
	});
	second.world.repository.lease = async (...args) => {
		arrive();
		await gate;
		return await lease(...args);
	};
	second.world.write("vda", 1, 7);
	const late = second.daemon.run(backup);
	await arrived;
	t.is((await first.daemon.run(backup))?.state, "succeeded");
	go();
	const end = await late;
	t.like(end, { state: "succeeded", attempts: 1 }, end?.error?.message);
	await assertWhole(t, first, "after both");
	const ends = (await first.world.repository.chains(first.world.uuid)).map(
		(one) => one.end?.reason,
	);
	t.log(ends.join("; "));
	t.is((await second.daemon.run(backup))?.state, "succeeded");
	await assertWhole(t, first, "at the end");
	const newest = (await second.world.published()).find(
		({ manifest }) => manifest.host.id === "host-b",
	);
	t.deepEqual(second.world.viewOfBackup(newest?.path ?? ""), second.world.view());
	for (const { daemon } of [first, second]) await daemon.service.stop();
});
