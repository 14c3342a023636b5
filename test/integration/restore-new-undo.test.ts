import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recoverRun } from "@knib/core";
import test from "ava";
import { aVm } from "../support/builders/facts.ts";
import { closeWorlds, restoreWorld } from "../support/restore-world.ts";

test.after.always(closeWorlds);

for (const failAfter of [
	"hold",
	"verify-layers",
	"copy-disks",
	"check-disks",
	"define-vm",
] as const) {
	test(`restore new › leaves nothing behind when it goes back after ${failAfter}`, async (t) => {
		const world = await restoreWorld();
		t.teardown(world.close);
		const plan = await world.plan({ start: true });
		const end = await world.run(plan, { failAfter });
		t.is(end.how, "undone");
		t.deepEqual(end.how === "undone" ? end.leftover : ["?"], []);
		t.deepEqual(world.files(), []);
		t.false(existsSync(plan.tpm?.to ?? ""));
		t.is(world.vms.size, 0);
		t.deepEqual(await world.holds(), []);
		const again = await world.recover({ ...end.state, undone: new Set(), undoing: null });
		t.deepEqual(again.how === "undone" ? again.leftover : ["?"], []);
	});
}

test("restore new › keeps a VM that it has started, whatever fails afterwards and when knibd is killed", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await world.plan({ start: true });
	const end = await world.run(plan, { failAfter: "start-vm" });
	t.is(end.how, "done");
	t.is(world.vms.get(plan.uuid)?.state, "running");
	const started = plan.steps.findIndex((step) => step.kind === "start-vm");
	const done = new Set([...plan.steps.keys()].filter((step) => step < started));
	t.is(recoverRun({ ...end.state, done }), "forward");
	t.is(recoverRun({ ...end.state, done, begun: done }), "back");
});

for (const step of ["copy-disks", "check-disks"] as const) {
	test(`restore new › never takes a file that somebody made before ${step}`, async (t) => {
		const world = await restoreWorld();
		t.teardown(world.close);
		const foreign = join(world.storage, "copy-vdb.qcow2");
		const end = await world.run(await world.plan(), {
			before: (kind) => (kind === step ? writeFileSync(foreign, "mine") : undefined),
		});
		t.true(end.how === "undone" && end.error.code === "EXISTS");
		t.deepEqual(world.files(), ["copy-vdb.qcow2"]);
		t.is(readFileSync(foreign, "utf8"), "mine");
	});
}

test("restore new › keeps the files of a VM that somebody started before the job went back", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await world.plan();
	const end = await world.run(plan);
	world.put({ ...(world.vms.get(plan.uuid) ?? aVm()), run: "1@1", state: "running" });
	const back = await world.recover(end.state);
	t.is(back.how === "undone" ? back.leftover.length : 0, 3);
	t.is(world.files().length, 3);
	t.true(world.vms.has(plan.uuid));
});

test("restore new › touches no other VM that took the name in the meantime", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const other = aVm({ uuid: "99999999-2222-4333-8444-555555555555", name: "copy" });
	const end = await world.run(await world.plan(), {
		before: (kind) => (kind === "define-vm" ? world.put(other) : undefined),
	});
	t.true(end.how === "undone" && end.error.code === "EXISTS");
	t.deepEqual([...world.vms.keys()], [other.uuid]);
	t.deepEqual(world.files(), []);
});
