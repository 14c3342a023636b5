// A backup in the middle of a chain taken out for real: its data goes into its child. ACCEPTANCE D4.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PublishedBackup } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { contentOf, imageOf, type ServiceWorld, serviceWorld } from "../support/service-world.ts";

const idOf = (backup: PublishedBackup | undefined): string => backup?.manifest.identity.id ?? "";
const TARGETS = ["vda", "vdb"];

/** What a guest would read of every disk of the given members. */
const contents = async (members: readonly (PublishedBackup | undefined)[]) => {
	const digests: string[] = [];
	for (const member of members) {
		for (const target of TARGETS) {
			digests.push(await contentOf(join(member?.path ?? "", `${target}.qcow2`)));
		}
	}
	return digests;
};

const litter = async (world: ServiceWorld): Promise<readonly string[]> => {
	const names = await readdir(join(world.path, "vms"), { recursive: true });
	return names.filter((name) => name.includes(".knib-") || name.endsWith("switch.json"));
};

/** The chain without its second member; every other point reads as before. */
const assertConsolidated = async (
	t: ExecutionContext,
	world: ServiceWorld,
	before: readonly string[],
	when = "",
): Promise<void> => {
	const [first, , third] = world.members;
	const { members, problems } = await world.chain();
	t.deepEqual(problems, [], when);
	t.deepEqual(members.map(idOf), [idOf(first), idOf(third)], when);
	t.deepEqual(await contents(members), before, when);
	t.is(members[1]?.manifest.parent?.id, idOf(first), when);
	t.is(members[1]?.manifest.identityDigest, third?.manifest.identityDigest, when);
	for (const member of members) t.deepEqual(await world.repository.proveLayers(member), [], when);
	t.deepEqual(await litter(world), [], when);
};

test("consolidation › folds a middle member into its child, and every other point reads as before", async (t) => {
	const world = await serviceWorld(t);
	const [first, second, third] = world.members;
	const before = await contents([first, third]);
	const daemon = await world.start();
	const job = await daemon.run({
		type: "DeleteBackup",
		backup: idOf(second),
		consolidate: true,
	});
	t.is(job.state, "succeeded", job.error?.message);
	t.is(job.result?.["consolidatedInto"], idOf(third));
	await assertConsolidated(t, world, before);
	for (const target of TARGETS) {
		const image = imageOf(join(third?.path ?? "", `${target}.qcow2`));
		t.is(image["backing-filename"], `../${first?.path.split("/").at(-1)}/${target}.qcow2`);
	}
	const trash = await world.repository.trash();
	t.deepEqual(
		trash.map(({ kind, backup }) => `${kind} ${backup}`).toSorted(),
		[`backup ${idOf(second)}`, `layers ${idOf(third)}`].toSorted(),
	);
	const dry = await t.throwsAsync(daemon.service.care.undelete(idOf(second), true));
	t.regex(dry?.message ?? "", /its parent .* is not the newest of its chain/);
	const verified = await daemon.run({ type: "VerifyRepository" });
	t.is(verified.state, "succeeded", verified.error?.message);
	await daemon.service.stop();
});

test("consolidation › takes out a backup that was removed before, also with compressed layers around it", async (t) => {
	const world = await serviceWorld(t);
	const [first, second, third] = world.members;
	const before = await contents([first, third]);
	const daemon = await world.start();
	for (const member of world.members) {
		await daemon.run({ type: "StartCompression", backup: idOf(member) });
	}
	await daemon.run({ type: "DeleteBackup", backup: idOf(second) });
	const job = await daemon.run({ type: "DeleteBackup", backup: idOf(second), consolidate: true });
	t.is(job.state, "succeeded", job.error?.message);
	await assertConsolidated(t, world, before);
	t.is((await world.chain()).members[1]?.marks.compression.status, "Uncompressed");
	const again = await daemon.run({ type: "StartCompression", backup: idOf(third) });
	t.is(again.state, "succeeded", again.error?.message);
	await assertConsolidated(t, world, before);
	await daemon.service.stop();
});

test("consolidation › is refused for the first of a chain, a pinned one and a held chain; a leaf is deleted as ever", async (t) => {
	const world = await serviceWorld(t);
	const [first, second, third] = world.members;
	const daemon = await world.start();
	await daemon.service.recovered;
	const ask = (backup: PublishedBackup | undefined) =>
		daemon.service.start({ type: "DeleteBackup", backup: idOf(backup), consolidate: true }, "test");
	await t.throwsAsync(ask(first), { message: /the first of its chain/ });
	await daemon.service.care.pin(idOf(second), "operator", false);
	await t.throwsAsync(ask(second), { message: /it is pinned/ });
	await daemon.service.care.unpin(idOf(second), false);
	const { vm, chain } = second?.manifest.identity ?? { vm: "", chain: "" };
	const hold = await world.repository.hold(vm, chain, { host: "b", job: "j", why: "restore" });
	await t.throwsAsync(ask(second), { message: /its chain is held: restore/ });
	await hold.release();
	const leaf = await daemon.run({ type: "DeleteBackup", backup: idOf(third), consolidate: true });
	t.deepEqual(leaf.result?.["swept"], [idOf(third)]);
	await daemon.service.stop();
});

const survive = async (t: ExecutionContext, template: string, line: number): Promise<boolean> => {
	const world = await serviceWorld(t, { template });
	const [first, second, third] = world.members;
	const before = await contents([first, third]);
	const all = await contents(world.members);
	const dying = await world.start(line);
	const request = { type: "DeleteBackup", backup: idOf(second), consolidate: true } as const;
	await dying.service.start(request, "test");
	const died = await Promise.race([dying.death.then(() => true), dying.idle().then(() => false)]);
	if (!died) {
		await dying.service.stop();
		return false;
	}
	const again = await world.start();
	await again.service.recovered;
	await again.idle();
	const { members } = await world.chain();
	if (members.length === 3) {
		t.deepEqual(await contents(members), all, `after line ${line}`);
		t.deepEqual(await litter(world), [], `after line ${line}`);
	} else await assertConsolidated(t, world, before, `after line ${line}`);
	await again.service.stop();
	return true;
};

test("consolidation › converges when the daemon dies after any line of its journal", async (t) => {
	t.timeout(300_000);
	const { path: template } = await serviceWorld(t);
	let line = 1;
	while (await survive(t, template, line)) line += 1;
	t.true(line > 9);
});
