// Two hosts, one repository, one VM: only the holder of the VM's lease changes its chains.
import test from "ava";
import { backupWorld, TARGETS } from "../support/backup-world.ts";

const backup = { type: "Backup", vm: "web01" } as const;

test("lease › held by another host refuses a backup of the same VM, which leaves nothing behind and works once it is free", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	world.write("vda", 1, 1);
	t.is((await daemon.run(backup))?.state, "succeeded");
	const before = TARGETS.map(world.overlays);
	world.write("vdb", 2, 2);
	const moment = world.view();

	const other = await world.repository.lease(world.uuid, "host-b");
	const refused = await daemon.run(backup);
	t.is(refused?.state, "failed");
	t.is(refused?.error?.code, "LEASE_HELD");
	t.regex(refused?.error?.message ?? "", /host-b/);
	t.deepEqual(world.view(), moment, "the guest's data");
	t.deepEqual(TARGETS.map(world.overlays), before, "the VM's images");
	t.is((await world.published()).length, 1);
	await other.check();

	await other.release();
	t.is((await daemon.run(backup))?.state, "succeeded");
	const points = await world.published();
	t.is(points.length, 2);
	t.deepEqual(world.viewOfBackup(points[1]?.path ?? ""), moment);
	await daemon.service.stop();
});
