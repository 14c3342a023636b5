import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { KnibError, type PublishedBackup } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { listTrash } from "../../apps/host-daemon/src/facts/list-trash.ts";
import type { StepContext } from "../../apps/host-daemon/src/jobs/context.ts";
import { trashBackups } from "../../apps/host-daemon/src/jobs/executors/delete.ts";
import { createTrashKeeper } from "../../apps/host-daemon/src/jobs/trash-keeper.ts";
import { testClock } from "../contracts/repository-harness.ts";
import { contentOf, type ServiceWorld, serviceWorld } from "../support/service-world.ts";

const HOUR = 3_600_000;
const idOf = (backup: PublishedBackup | undefined): string => backup?.manifest.identity.id ?? "";
const there = (path: string): Promise<boolean> =>
	access(path).then(
		() => true,
		() => false,
	);

const trashed = async (world: ServiceWorld): Promise<readonly string[]> =>
	(await world.repository.trash()).map((entry) => entry.backup);

test("deletion › hides a backup that others stand on, and sweeps it with its last descendant", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	const [first, second, third] = world.members;
	const soft = await daemon.run({ type: "DeleteBackup", backup: idOf(second) });
	t.is(soft.state, "succeeded", soft.error?.message);
	t.is((await world.chain()).members[1]?.marks.removed === null, false);
	const listed = await world.books.backups.list({ all: false });
	t.false(listed.some((view) => view.id === idOf(second)));
	t.is(await contentOf(join(third?.path ?? "", "vda.qcow2")).then(() => "reads"), "reads");
	const leaf = await daemon.run({ type: "DeleteBackup", backup: idOf(third) });
	t.is(leaf.state, "succeeded", leaf.error?.message);
	t.deepEqual(leaf.result?.["swept"], [idOf(third), idOf(second)]);
	const chain = await world.chain();
	t.deepEqual(chain.members.map(idOf), [idOf(first)]);
	t.is(chain.end?.reason, "its newest backup was deleted");
	t.deepEqual((await trashed(world)).toSorted(), [idOf(second), idOf(third)].toSorted());
	await daemon.service.stop();
});

test("deletion › of the last backup of a chain leaves nothing of it in the view", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	for (const backup of world.members.toReversed()) {
		const job = await daemon.run({ type: "DeleteBackup", backup: idOf(backup) });
		t.is(job.state, "succeeded", job.error?.message);
	}
	t.deepEqual(await world.books.backups.list({ all: true }), []);
	t.deepEqual(await world.books.backups.chains(undefined), []);
	t.is((await trashed(world)).length, world.members.length);
	await daemon.service.stop();
});

test("deletion › comes back as a whole, and every point reads as before", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	const [, second, third] = world.members;
	const file = join(third?.path ?? "", "vdb.qcow2");
	const before = await contentOf(file);
	await daemon.run({ type: "DeleteBackup", backup: idOf(second) });
	await daemon.run({ type: "DeleteBackup", backup: idOf(third) });
	t.false(await there(file));
	const dry = await daemon.service.care.undelete(idOf(third).slice(-6), true);
	t.false(dry.done);
	const outcome = await daemon.service.care.undelete(idOf(third), false);
	t.true(outcome.done && outcome.result.status === "BackedUp");
	t.is(await contentOf(file), before);
	t.deepEqual(await trashed(world), []);
	const { members, problems } = await world.chain();
	t.deepEqual(problems, []);
	t.deepEqual(
		members.map((member) => member.marks.removed === null),
		[true, false, true],
	);
	await daemon.service.stop();
});

test("deletion › shows what the trash holds, and what comes back together", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	const [, second, third] = world.members;
	await daemon.run({ type: "DeleteBackup", backup: idOf(second) });
	await daemon.run({ type: "DeleteBackup", backup: idOf(third) });
	const { backups, unreadable } = await listTrash(world.books.catalog);
	t.deepEqual(unreadable, []);
	t.deepEqual(backups.map((view) => view.id).toSorted(), [idOf(second), idOf(third)].toSorted());
	for (const view of backups) {
		t.is(view.status, "Expunged");
		t.deepEqual(view.trash.together, [idOf(third), idOf(second)]);
		t.is(view.trash.by, "here");
		t.regex(view.reason, /knib backup undelete .* brings it back together with/);
		t.true(await there(view.path ?? ""));
	}
	await daemon.service.stop();
	await rm(world.path, { recursive: true });
	t.is((await listTrash(world.books.catalog)).unreadable[0]?.repository, "main");
});

test("deletion › is refused while the backup is pinned or held, with the reason", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	const [, , third] = world.members;
	await daemon.service.care.pin(idOf(third), "operator", false);
	const pinned = await t.throwsAsync(
		daemon.service.start({ type: "DeleteBackup", backup: idOf(third), consolidate: false }, "test"),
		{ instanceOf: KnibError },
	);
	t.is(pinned?.code, "REFUSED");
	const view = await world.books.backups.find(idOf(third));
	const blocked = await daemon.service.care.blocked(view);
	t.deepEqual(blocked, [{ action: "delete", reason: "it is pinned" }]);
	await daemon.service.care.unpin(idOf(third), false);
	const { vm, chain } = third?.manifest.identity ?? { vm: "", chain: "" };
	const hold = await world.repository.hold(vm, chain, { host: "b", job: "j", why: "restore" });
	const held = await t.throwsAsync(
		daemon.service.start({ type: "DeleteBackup", backup: idOf(third), consolidate: false }, "test"),
		{ instanceOf: KnibError },
	);
	t.is(held?.code, "BACKUP_BUSY");
	t.regex(held?.message ?? "", /its chain is held: restore/);
	await hold.release();
	await daemon.service.stop();
});

test("deletion › that goes back leaves in the trash what another job has put there", async (t) => {
	const world = await serviceWorld(t);
	const [, , third] = world.members;
	if (third === undefined) throw new Error("no backups");
	const { repository } = world;
	const sweep = [idOf(third)];
	const at = "2026-01-02T03:04:05.000Z";
	await repository.recordSweep(third, { sweep, by: "another host", at, job: "theirs" });
	await repository.moveToTrash(third);
	const lease = () => repository.lease(third.manifest.identity.vm, "host-a");
	const undo = (job: string): Promise<void> | undefined =>
		trashBackups.undo?.({ kind: "trash-backups", backups: sweep }, {
			job,
			repository: async () => repository,
			lease,
		} as unknown as StepContext);
	await undo("mine");
	t.deepEqual(await trashed(world), sweep);
	await undo("theirs");
	t.deepEqual(await trashed(world), []);
	t.is((await world.chain()).members.length, 3);
});

const survive = async (t: ExecutionContext, template: string, line: number): Promise<boolean> => {
	const world = await serviceWorld(t, { template });
	const [, second, third] = world.members;
	if (second === undefined) throw new Error("no backups");
	await world.repository.writeMarks(second, {
		removed: { at: "2026-01-02T03:04:05.000Z", by: "test" },
	});
	const dying = await world.start(line);
	await dying.service.start(
		{ type: "DeleteBackup", backup: idOf(third), consolidate: false },
		"test",
	);
	const died = await Promise.race([dying.death.then(() => true), dying.idle().then(() => false)]);
	if (!died) {
		await dying.service.stop();
		return false;
	}
	const again = await world.start();
	await again.service.recovered;
	await again.idle();
	const { members, problems } = await world.chain();
	t.deepEqual(problems, [], `after line ${line}`);
	const left = members.length;
	t.true(left === 1 || left === 3, `all of the sweep or none after line ${line}: ${left}`);
	t.is((await trashed(world)).length, 3 - left, `after line ${line}`);
	await again.service.stop();
	return true;
};

test("deletion › converges when the daemon dies after any line of its journal", async (t) => {
	t.timeout(300_000);
	const { path: template } = await serviceWorld(t);
	let line = 1;
	while (await survive(t, template, line)) line += 1;
	t.true(line > 6);
});

const keeperOf = (world: ServiceWorld) => {
	const clock = testClock();
	const alerts: (string | null)[] = [];
	let jump = 0;
	const keeper = createTrashKeeper({
		catalog: world.books.catalog,
		clock: { ...clock, now: () => new Date(Date.parse(clock.now()) + jump).toISOString() },
		stateDir: world.directory,
		newestBackupAt: async () => null,
		alert: async (text) => {
			alerts.push(text);
		},
		onProblem: (problem) => {
			throw problem;
		},
	});
	const jumpBy = (ms: number): void => {
		jump += ms;
	};
	return { keeper, clock, alerts, jumpBy };
};

test("trash › is emptied after its grace, as the daemon saw time pass, and not before", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	await daemon.run({ type: "DeleteBackup", backup: idOf(world.members[2]) });
	const { keeper, clock, alerts } = keeperOf(world);
	await keeper.look();
	clock.advance(23 * HOUR);
	await keeper.look();
	t.is((await trashed(world)).length, 1);
	clock.advance(HOUR);
	await keeper.look();
	t.deepEqual(await trashed(world), []);
	t.true(alerts.every((text) => text === null));
	await daemon.service.stop();
});

test("trash › keeps everything when the clock jumps a year, and raises an alert", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	await daemon.run({ type: "DeleteBackup", backup: idOf(world.members[2]) });
	const { keeper, clock, alerts, jumpBy } = keeperOf(world);
	await keeper.look();
	jumpBy(365 * 24 * HOUR);
	clock.advance(25 * HOUR);
	await keeper.look();
	t.is((await trashed(world)).length, 1);
	t.regex(alerts.at(-1) ?? "", /nothing is deleted: the clock was moved forward/);
	jumpBy(-365 * 24 * HOUR);
	clock.advance(1000);
	await keeper.look();
	t.deepEqual(await trashed(world), [], "believed again, its grace is over");
	t.is(alerts.at(-1), null);
	await daemon.service.stop();
});
