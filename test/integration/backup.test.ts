import { type JobRequest, jobRequestSchema, KnibError } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { createMergeKeeper } from "../../apps/host-daemon/src/jobs/merge-keeper.ts";
import { systemClock } from "../../apps/host-daemon/src/system-clock.ts";
import { backupWorld, TARGETS } from "../support/backup-world.ts";

const backup = { type: "Backup", vm: "web01" } as const;

test("backup › makes a full and increments that each hold their moment", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	const moments = [];
	for (const value of [1, 2, 3]) {
		world.write("vda", value, value);
		world.write("vdb", 0, value);
		moments.push(world.view());
		t.is((await daemon.run(backup))?.state, "succeeded");
	}
	const points = await world.published();
	t.deepEqual(
		points.map((point) => point.manifest.kind),
		["full", "incremental", "incremental"],
	);
	t.deepEqual(
		points.map((point) => world.viewOfBackup(point.path)),
		moments,
	);
	for (const target of TARGETS) t.is(world.overlays(target), 1);
	await daemon.service.stop();
});

/** Kills the daemon after a line of an increment's journal and starts it again. False when the journal has no such line. */
const survive = async (t: ExecutionContext, line: number): Promise<boolean> => {
	const world = await backupWorld(t);
	const first = await world.start();
	world.write("vda", 1, 1);
	await first.run(backup);
	await first.service.stop();
	world.write("vda", 2, 2);
	const moment = world.view();
	const dying = await world.start(line);
	const ended = await dying.run(backup);
	if (ended !== undefined) {
		t.is(ended.state, "succeeded");
		await dying.service.stop();
		return false;
	}
	world.write("vdb", 3, 3);
	const later = world.view();
	const again = await world.start();
	await again.service.recovered;
	t.deepEqual(world.view(), later, `the guest's data after line ${line}`);
	for (const target of TARGETS) t.true(world.overlays(target) <= 1, `${target} after line ${line}`);
	const points = await world.published();
	const jobs = (await again.jobs()).filter((job) => job.startedAt !== null);
	const [done, lost] = [points.length === 2, jobs.some((job) => job.error?.code === "INTERRUPTED")];
	t.not(done, lost, `either published or interrupted after line ${line}`);
	if (done) t.deepEqual(world.viewOfBackup(points[1]?.path ?? ""), moment, `after line ${line}`);
	const shown = await world.books.backups.list({ all: false });
	t.deepEqual(
		shown
			.filter((view) => view.status === "BackedUp")
			.map((view) => view.id)
			.toSorted(),
		points.map((point) => point.manifest.identity.id).toSorted(),
		`the view after line ${line}`,
	);
	const next = await again.run(backup);
	t.is(next?.state, "succeeded", `the next backup after line ${line}`);
	const newest = (await world.published()).at(-1);
	t.deepEqual(newest?.problems, []);
	t.is(
		newest?.manifest.kind,
		"incremental",
		`the next backup after line ${line}: ${newest?.manifest.reason}`,
	);
	t.deepEqual(world.viewOfBackup(newest?.path ?? ""), later, `the next point after line ${line}`);
	await again.service.stop();
	return true;
};

test("backup › is whole or gone when the daemon dies after any line of its journal", async (t) => {
	t.timeout(300_000);
	let line = 1;
	while (await survive(t, line)) line += 1;
	t.true(line > 15, `${line} lines`);
});

test("chain › says why it ended", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	for (const unassigned of [undefined, true] as const) {
		await daemon.run(backup);
		const more = unassigned === undefined ? {} : { unassigned };
		await daemon.run({ type: "FinishChain", vm: "web01", ...more });
		for (const target of TARGETS) t.is(world.overlays(target), 0);
	}
	const chains = await world.repository.chains(world.uuid);
	t.deepEqual(
		chains.map((chain) => chain.end?.reason),
		["finished by hand", "the VM left its offering"],
	);
	await daemon.service.stop();
});

test("backup › goes back when its publication certainly failed", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	const details = { outcome: "not-done" };
	world.repository.failNext("publish", new KnibError("REPOSITORY_NO_SPACE", "full", { details }));
	const job = await daemon.run(backup);
	t.is(job?.error?.code, "REPOSITORY_NO_SPACE");
	t.deepEqual(await world.published(), []);
	for (const target of TARGETS) t.is(world.overlays(target), 0);
	await daemon.service.stop();
});

test("backup › is unconfirmed when nobody knows whether it was published, and goes on when the repository answers", async (t) => {
	for (const when of ["before", "after"] as const) {
		const world = await backupWorld(t);
		const daemon = await world.start();
		world.write("vda", 1, 1);
		const moment = world.view();
		world.repository.failNext("publish", new KnibError("REPOSITORY_UNREACHABLE", "lost"), when);
		const job = await daemon.run(backup);
		t.is(job?.state, "failed");
		for (const target of TARGETS) t.is(world.overlays(target), 1, "the overlays stay");
		const [unconfirmed] = await world.books.backups.list({ all: true });
		t.is(unconfirmed?.status, "Unconfirmed");
		world.write("vda", 2, 2);
		t.is((await daemon.run(backup))?.state, "succeeded");
		const points = await world.published();
		t.is(points.length, 2, `lost ${when} it was published`);
		t.deepEqual(world.viewOfBackup(points[0]?.path ?? ""), moment);
		t.is(points[1]?.manifest.kind, "incremental");
		const views = await world.books.backups.list({ all: true });
		t.deepEqual(
			views.map((view) => view.status),
			["BackedUp", "BackedUp"],
		);
		await daemon.service.stop();
	}
});

test("backup › warns of a merge that could not be made, and makes up for it next time", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	await daemon.run(backup);
	world.world.control.fail("commit", {});
	const job = await daemon.run(backup);
	t.is(job?.state, "succeeded");
	t.regex(job?.warnings.join() ?? "", /extra layer present on vd[ab]/);
	t.is((await world.books.vms.record(world.uuid)).notes.length, 1);
	t.is(world.overlays("vda") + world.overlays("vdb"), 3);
	const next = await daemon.run(backup);
	t.deepEqual(next?.warnings, []);
	t.is((await world.books.vms.record(world.uuid)).notes.length, 0);
	for (const target of TARGETS) t.is(world.overlays(target), 1);
	await daemon.service.stop();
});

test("backup › leaves a layer to the background, which merges it and keeps the chain going", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	await daemon.run(backup);
	world.write("vda", 1, 1);
	world.world.control.fail("commit");
	world.world.control.fail("commit", { nth: 2 });
	await daemon.run(backup);
	t.deepEqual(TARGETS.map(world.overlays), [2, 2]);
	const asked: JobRequest[] = [];
	const keeper = createMergeKeeper({
		clock: systemClock,
		noted: world.books.vms.noted,
		jobs: { ...daemon.service, start: async (request) => asked.push(request) },
		onProblem: (error) => t.fail(String(error)),
	});
	await keeper.look();
	t.is(asked.length, 1);
	for (const request of asked) t.is((await daemon.run(request))?.state, "succeeded");
	t.deepEqual(TARGETS.map(world.overlays), [1, 1]);
	await keeper.look();
	t.is(asked.length, 1, "nothing is noted any more");
	world.write("vdb", 2, 2);
	t.is((await daemon.run(backup))?.state, "succeeded");
	const newest = (await world.published()).at(-1);
	t.is(newest?.manifest.kind, "incremental", newest?.manifest.reason);
	t.deepEqual(world.viewOfBackup(newest?.path ?? ""), world.view());
	await daemon.service.stop();
});

test("backup › of a VM that is off is refused when qemu's user could not open its overlays", async (t) => {
	const world = await backupWorld(t);
	await world.hypervisor.destroy(world.uuid);
	world.closed.push(/\.knib-[^/]*$/);
	const daemon = await world.start();
	const job = await daemon.run(backup);
	t.is(job?.error?.code, "REFUSED");
	t.regex(job?.error?.message ?? "", /qemu's user \(uid 7, gid 8\).*VM web01 would not start/);
	for (const target of TARGETS) t.is(world.overlays(target), 0);
	t.deepEqual(await world.published(), []);
	// What libvirt gives to qemu at the start need not be open to it before.
	world.closed.push(/./);
	t.is((await daemon.run(backup))?.state, "succeeded");
	await daemon.service.stop();
});

test("backup › warns when a step after the publication fails as a whole", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	world.repository.failNext("writeTracker", new KnibError("REPOSITORY_UNREACHABLE", "lost"));
	const job = await daemon.run(backup);
	t.is(job?.state, "succeeded");
	t.deepEqual(job?.warnings, ["record-tracker failed: lost"]);
	await daemon.service.stop();
});

test("backup › does not take a stranger's write for its own state", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	await world.hypervisor.destroy(world.uuid);
	// Both layers have been compared by then.
	const pause = world.world.control.pause("hash", 2);
	const running = daemon.run(backup);
	await pause.reached;
	const base = world.chain("vda").at(-1) ?? "";
	const image = world.world.images.get(base);
	image?.clusters.set(9, 99);
	if (image !== undefined) image.mtime += 5n;
	pause.release();
	await running;
	const next = await daemon.run(backup);
	t.is(next?.state, "succeeded");
	const newest = (await world.published()).at(-1);
	t.is(newest?.manifest.kind, "full");
	t.regex(newest?.manifest.reason ?? "", /vda stands on \/vm\/a\.qcow2, which/);
	t.deepEqual(world.viewOfBackup(newest?.path ?? ""), world.view());
	await daemon.service.stop();
});

test("backup › that is stopped with the daemon is undone, and what waits is taken up again", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	const pause = world.world.control.pause("check");
	const running = daemon.run(backup);
	await pause.reached;
	const waiting = await daemon.service.start(jobRequestSchema.parse(backup), "test");
	const stopped = daemon.service.stop();
	pause.release();
	await stopped;
	t.is((await running)?.error?.code, "INTERRUPTED");
	for (const target of TARGETS) t.is(world.overlays(target), 0);
	const kept = (await daemon.jobs()).find((job) => job.id === waiting.id);
	t.is(kept?.state, "waiting");
	const again = await world.start();
	for (;;) {
		const job = (await again.jobs()).find((one) => one.id === waiting.id);
		if (job?.endedAt !== null) break;
		await new Promise((resolve) => setImmediate(resolve));
	}
	t.is((await world.published()).length, 1);
	await again.service.stop();
});
