// Disks that come, go and grow within a chain (SPEC 2.7): the chain of the others goes on.
import test from "ava";
import { backupWorld } from "../support/backup-world.ts";

const backup = { type: "Backup", vm: "web01" } as const;
const BASE = "/vm/b.raw";

test("disks › one that left is merged, and comes back whole", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	await daemon.run(backup);
	world.write("vdb", 3, 33);
	const [overlay = ""] = world.chain("vdb");
	await world.giveDisks(["vda"]);
	world.write("vda", 1, 11);
	const left = await daemon.run(backup);
	t.is(left?.state, "succeeded");
	t.deepEqual(left?.warnings, []);
	t.deepEqual(world.viewOfImage(BASE), [[3, 33]]);
	t.false(world.world.images.has(overlay));
	await world.giveDisks(["vda", "vdb"]);
	world.write("vdb", 4, 44);
	const moment = world.view();
	await daemon.run(backup);
	const [, second, third] = await world.published();
	t.is(second?.manifest.kind, "incremental");
	t.regex(
		second?.manifest.reason ?? "",
		/2 of 8 in its chain; vdb is no longer part of the backup/,
	);
	t.deepEqual(
		second?.manifest.generation.layers.map(({ target }) => target),
		["vda"],
	);
	t.is(third?.manifest.kind, "incremental");
	t.regex(third?.manifest.reason ?? "", /; vdb in full: vdb was not part of the previous backup/);
	t.deepEqual(
		third?.manifest.generation.layers.map(({ target, backing }) => [target, backing !== null]),
		[
			["vda", true],
			["vdb", false],
		],
	);
	t.deepEqual(world.viewOfBackup(third?.path ?? ""), moment);
	t.deepEqual(third?.problems, []);
	world.write("vdb", 5, 55);
	await daemon.run(backup);
	const newest = (await world.published()).at(-1);
	t.is(
		newest?.manifest.generation.layers.every(({ backing }) => backing !== null),
		true,
	);
	t.deepEqual(world.viewOfBackup(newest?.path ?? ""), world.view());
	await daemon.service.stop();
});

test("disks › the overlay of one that left stays where its base is not what it was", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	await daemon.run(backup);
	world.write("vdb", 3, 33);
	const [overlay = ""] = world.chain("vdb");
	await world.giveDisks(["vda"]);
	const base = world.world.images.get(BASE);
	base?.clusters.set(9, 99);
	if (base !== undefined) base.mtime += 5n;
	const job = await daemon.run(backup);
	t.is(job?.state, "succeeded");
	t.regex(
		job?.warnings.join() ?? "",
		/overlay .* of vdb, which has left the VM, stays: \/vm\/b\.raw was written/,
	);
	t.deepEqual(world.viewOfImage(BASE), [[9, 99]]);
	t.true(world.world.images.has(overlay));
	await daemon.service.stop();
});

test("disks › the end of a chain merges what left, too", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	await daemon.run(backup);
	world.write("vdb", 3, 33);
	await world.giveDisks(["vda"]);
	await daemon.run({ type: "FinishChain", vm: "web01" });
	t.deepEqual(world.viewOfImage(BASE), [[3, 33]]);
	t.is(world.overlays("vda"), 0);
	await daemon.service.stop();
});
