// What one host asks of another: done once, whatever dies in between, and only by who may ask.
import { join } from "node:path";
import type { JobEvent } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { aMeshHost, connectedTo, type MeshHost, pair, until } from "../support/mesh-hosts.ts";
import { serviceWorld } from "../support/service-world.ts";

/** Two paired hosts, both with the repository of a chain of three backups. */
const twoHosts = async (t: ExecutionContext, role: "viewer" | "operator" = "operator") => {
	const world = await serviceWorld(t);
	const path = join(world.directory, "repository");
	const asking = await aMeshHost(t, "alpha");
	const doing = await aMeshHost(t, "beta");
	for (const host of [asking, doing]) {
		await host.api.repository.add.mutate({ name: "main", path, dryRun: false });
	}
	await pair(doing, asking, role);
	for (const host of [asking, doing]) await connectedTo(host, 1);
	const ids = world.members.map(({ manifest }) => manifest.identity.id);
	return { world, asking, doing, ids };
};

const jobAt = (host: MeshHost, job: string) =>
	host.api.job.show.query({ job }).catch(() => undefined);

test.serial(
	"intents › for a host that is away wait with the reason, and are done once, though it is killed on the way",
	async (t) => {
		t.timeout(300_000);
		const { world, asking, doing, ids } = await twoHosts(t);
		const backup = ids.at(-1) ?? "";
		await doing.kill();
		const request = { type: "DeleteBackup", backup } as const;
		const job = await asking.api.job.ask.mutate({ host: "beta", request });
		const waits = await until(
			"the reason",
			() => jobAt(asking, job.id),
			(view) => view?.reason?.includes("has not been reached since") === true,
		);
		t.like(waits, { state: "waiting", host: "beta" });
		const dry = await asking.cli(
			"backup",
			"delete",
			backup,
			"--host",
			"beta",
			"--dry-run",
			"--json",
		);
		t.is(dry.code, 8);
		t.regex(dry.stdout, /PEER_UNREACHABLE/);

		await doing.startToDie({ KNIB_CRASH_AFTER_JOURNAL_LINES: "1" });
		await doing.start();
		const ended = await until(
			"its end",
			() => jobAt(asking, job.id),
			(view) => typeof view?.endedAt === "string",
		);
		t.like(ended, { host: "beta", state: "failed", error: { code: "INTERRUPTED" } });
		t.deepEqual(await world.repository.trash(), [], "what it had begun was undone");
		const again = await asking.api.job.retry.mutate({ job: job.id });
		await until(
			"its success",
			() => jobAt(asking, again.id),
			(view) => view?.state === "succeeded",
		);
		const trash = await world.repository.trash();
		t.deepEqual(
			trash.map((entry) => entry.backup),
			[backup],
		);
		await doing.kill();
		await doing.start();
		await connectedTo(doing, 1);
		const jobs = await doing.api.job.list.query({});
		t.deepEqual(
			jobs.map(({ id, attempts }) => [id, attempts]),
			[
				[again.id, 1],
				[job.id, 1],
			],
		);
		t.true((await asking.api.job.log.query({ job: job.id })).length > 0);
	},
);

test.serial("intents › are followed live by who asked, and end with the result", async (t) => {
	t.timeout(300_000);
	const { asking, ids } = await twoHosts(t);
	const request = { type: "DeleteBackup", backup: ids.at(-1) ?? "" } as const;
	const plan = await asking.api.job.planOn.query({ host: "beta", request });
	t.is(plan.type, "DeleteBackup");
	const job = await asking.api.job.ask.mutate({ host: "beta", request });
	const events: JobEvent[] = [];
	for await (const event of asking.client.watchJob(job.id)) events.push(event);
	const last = events.at(-1);
	t.is(last?.type, "end");
	t.is(last?.type === "end" ? last.job.state : "", "succeeded");
	const missing = { type: "DeleteBackup", backup: "0196f000-0000-7000-8000-00000000dead" };
	const run = await asking.cli("backup", "delete", missing.backup, "--host", "beta", "--json");
	t.is(run.code, 4, run.stdout);
});

test.serial("intents › of a viewer are refused in words", async (t) => {
	t.timeout(300_000);
	const { asking, doing, ids } = await twoHosts(t, "viewer");
	const request = { type: "DeleteBackup", backup: ids.at(-1) ?? "" } as const;
	await t.throwsAsync(asking.api.job.planOn.query({ host: "beta", request }), { code: "REFUSED" });
	const job = await asking.api.job.ask.mutate({ host: "beta", request });
	const ended = await until(
		"its end",
		() => jobAt(asking, job.id),
		(view) => view?.state === "failed",
	);
	t.regex(ended?.error?.message ?? "", /alpha may only look here/);
	t.is((await doing.api.job.list.query({})).length, 1);
});

test.serial(
	"intents › wait while libvirt is down at their host, and are taken when it is back",
	async (t) => {
		t.timeout(300_000);
		const { asking, doing } = await twoHosts(t);
		await doing.libvirt("down");
		const request = { type: "Backup", vm: "web01" } as const;
		const job = await asking.api.job.ask.mutate({ host: "beta", request });
		await doing.kill();
		await doing.start();
		await connectedTo(asking, 1);
		await until(
			"the reason",
			() => jobAt(asking, job.id),
			(view) => view?.state === "waiting" && /hypervisor/.test(view.reason ?? ""),
		);
		t.deepEqual(await doing.api.job.list.query({}), [], "nothing was begun");
		const here = await doing.cli("vm", "list");
		t.is(here.code, 3);
		t.regex(here.stderr, /warning: the VMs of beta are shown as they were last seen: .*hypervisor/);
		await doing.libvirt("up");
		const ended = await until(
			"its end",
			() => jobAt(asking, job.id),
			(view) => typeof view?.endedAt === "string",
		);
		t.like(ended, { host: "beta", state: "failed", error: { code: "VM_NOT_FOUND" } });
	},
);
