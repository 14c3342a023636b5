import { appendFile, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Job, PublishedBackup } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { type ServiceWorld, serviceWorld } from "../support/service-world.ts";

const idOf = (backup: PublishedBackup | undefined): string => backup?.manifest.identity.id ?? "";
const pathOf = (world: ServiceWorld, index: number, file: string): string =>
	join(world.members[index]?.path ?? "", file);

const flipByte = async (path: string): Promise<void> => {
	const file = await open(path, "r+");
	const at = Math.floor((await file.stat()).size / 2);
	const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
	await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, at);
	await file.close();
};

const verify = async (world: ServiceWorld, ask: object = {}): Promise<Job> => {
	const daemon = await world.start();
	const job = await daemon.run({ type: "VerifyRepository", ...ask });
	await daemon.service.stop();
	return job;
};

const statusesOf = async (world: ServiceWorld): Promise<readonly string[]> =>
	(await world.chain()).members.map((member) => member.marks.validation.status);

const failure = (t: ExecutionContext, job: Job, pattern: RegExp): void => {
	t.is(job.state, "failed");
	t.is(job.error?.code, "VERIFY_FAILED");
	t.regex(job.error?.message ?? "", pattern);
};

test("verify › reads every file of a repository and leaves a proof on each backup", async (t) => {
	const world = await serviceWorld(t);
	const job = await verify(world);
	t.is(job.state, "succeeded", job.error?.message);
	t.is(job.vm, null);
	t.like(job.result, { repository: "main", chain: null, backups: 3, damaged: [], problems: [] });
	for (const { marks } of (await world.chain()).members) {
		t.true(marks.proofs.some((proof) => proof.level === "checked"));
		t.is(marks.validation.status, "NotValidated");
	}
});

test("verify › names a damaged layer, marks what stands on it, raises alerts and ends the chain", async (t) => {
	const world = await serviceWorld(t);
	const path = pathOf(world, 1, "vdb.qcow2");
	await flipByte(path);
	const job = await verify(world, { chain: world.members[0]?.manifest.identity.chain });
	failure(t, job, /1 damaged files .*vdb\.qcow2: its SHA-256 is another one/);
	t.deepEqual(await statusesOf(world), ["NotValidated", "NotValid", "NotValid"]);
	const chain = await world.chain();
	t.regex(chain.end?.reason ?? "", /a verification found damage/);
	const [first, second] = chain.members;
	t.true(first?.marks.proofs.some((proof) => proof.level === "checked"));
	t.false(second?.marks.proofs.some((proof) => proof.level === "checked"));
	const alerts = await world.books.alerts.all();
	t.deepEqual(
		alerts.map((alert) => alert.backup).toSorted(),
		[idOf(world.members[1]), idOf(world.members[2])].toSorted(),
	);
});

test("verify › leaves the chain open where the setting says so", async (t) => {
	const world = await serviceWorld(t);
	await flipByte(pathOf(world, 2, "vda.qcow2"));
	const name = "backup.validation.end.chain.on.fail";
	await (await world.books.settings.set({ scope: "cluster" }, name, "false")).apply();
	failure(t, await verify(world), /vda\.qcow2/);
	t.is((await world.chain()).end, null);
});

test("verify › finds a layer that is gone, and a changed file beside the layers", async (t) => {
	const world = await serviceWorld(t);
	await appendFile(pathOf(world, 0, "domain-inactive.xml"), " ");
	failure(t, await verify(world), /domain-inactive\.xml: its SHA-256/);
	await rm(pathOf(world, 2, "vdb.qcow2"));
	const job = await verify(world);
	t.is(job.state, "failed");
	t.regex(JSON.stringify(job.error), /vdb\.qcow2/);
});

test("verify › a share takes the backups whose last check is the longest ago, until all were read", async (t) => {
	const world = await serviceWorld(t);
	const checked = async (): Promise<number> =>
		(await world.chain()).members.filter(({ marks }) =>
			marks.proofs.some((proof) => proof.level === "checked"),
		).length;
	const first = await verify(world, { share: 3 });
	t.is(first.state, "succeeded", first.error?.message);
	t.is(first.result?.["backups"], 1);
	t.is(await checked(), 1);
	await verify(world, { share: 3 });
	await verify(world, { share: 3 });
	t.is(await checked(), 3);
});

test("verify › keeps to the rate that is asked for", async (t) => {
	const world = await serviceWorld(t);
	const bytes = (await world.chain()).members
		.flatMap(({ manifest }) => manifest.generation.layers)
		.reduce((sum, layer) => sum + layer.size, 0);
	const started = performance.now();
	const job = await verify(world, { rate: bytes });
	t.is(job.state, "succeeded");
	t.true(performance.now() - started > 900);
});

test("verify › refuses a repository or a chain that is not there", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	for (const ask of [{ repository: "nowhere" }, { chain: "ffffffff" }]) {
		await t.throwsAsync(
			daemon.service.start({ type: "VerifyRepository", rate: 0, ...ask }, "test"),
			{
				message: /nowhere|ffffffff/,
			},
		);
	}
	await daemon.service.stop();
});

test("verify › goes on after the daemon died in the middle of it", async (t) => {
	t.timeout(180_000);
	const world = await serviceWorld(t);
	for (const line of [1, 2]) {
		const dying = await world.start(line);
		await dying.service.start({ type: "VerifyRepository", rate: 0 }, "test");
		await dying.death;
		const again = await world.start();
		await again.service.recovered;
		await again.idle();
		const last = (await again.jobs())
			.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
			.at(-1);
		t.is(last?.state, line === 1 ? "failed" : "succeeded", last?.error?.message);
		await again.service.stop();
	}
});
