import { chmodSync, linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_STORAGE, type FoundBackup, restoreNewRequestSchema } from "@knib/core";
import test from "ava";
import { gatherStorage } from "../../apps/host-daemon/src/facts/gather-storage.ts";
import { JOB } from "../support/begun-restore.ts";
import { aDisk, aVm } from "../support/builders/facts.ts";
import { foundIn, NEW_VM, published, threeBackups } from "../support/builders/restore.ts";
import { closeWorlds, restoreWorld } from "../support/restore-world.ts";

test.after.always(closeWorlds);

/** A backup whose first disk was at this path. */
const frozenAt = (path: string): FoundBackup => {
	const members = threeBackups().map(({ manifest }) => {
		const disks = [{ target: "vda", frozen: { path, format: "qcow2" as const } }];
		return published({ ...manifest, tracker: { kind: "overlay", disks } });
	});
	return foundIn(members);
};

const requestFor = (storage?: string) =>
	restoreNewRequestSchema.parse({
		type: "Restore",
		mode: "new",
		backup: "0000",
		name: "copy",
		...(storage === undefined ? {} : { storage }),
	});

const storageIn = async (
	world: Awaited<ReturnType<typeof restoreWorld>>,
	frozen: string,
	storage?: string,
) =>
	gatherStorage(world.deps, {
		request: requestFor(storage),
		found: frozenAt(frozen),
		uuid: NEW_VM,
	});

test("gatherStorage › takes the source's directory and the owner and mode of its image", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const image = join(world.storage, "a.qcow2");
	writeFileSync(image, "image");
	chmodSync(image, 0o644);
	const facts = await storageIn(world, image);
	t.is(facts.directory, world.storage);
	t.true(facts.writable);
	t.is(facts.owner.mode, 0o644);
	t.true(facts.ownerReason.includes(image));
	t.true(facts.free > 0);
});

test("gatherStorage › takes libvirt's directory where the source's is gone, a device's, or for overlays", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	mkdirSync(world.deps.scratch);
	for (const frozen of ["/gone/a.raw", "/dev/vg0/a", join(world.deps.scratch, "knib-x.qcow2")]) {
		t.is((await storageIn(world, frozen)).directory, DEFAULT_STORAGE);
	}
});

test("gatherStorage › takes what was asked for, and says what is wrong with it", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const asked = await storageIn(world, "/gone/a", `${world.storage}//x/../`);
	t.is(asked.directory, `${world.storage}/`);
	t.is(asked.problem, null);
	const missing = await storageIn(world, "/gone/a", join(world.root, "missing"));
	t.false(missing.writable);
	t.regex(missing.problem ?? "", /missing/);
	const image = join(world.storage, "a.qcow2");
	writeFileSync(image, "image");
	t.is((await storageIn(world, "/gone/a", image)).problem, "it is no directory");
});

test("gatherStorage › takes no directory that qemu's user cannot enter", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	world.closed.add(`${world.storage}/`);
	const asked = await storageIn(world, "/gone/a", world.storage);
	t.false(asked.writable);
	t.is(asked.problem, "qemu's user (uid 7, gid 8) cannot enter it");
	const image = join(world.storage, "a.qcow2");
	writeFileSync(image, "image");
	t.is((await storageIn(world, image)).directory, DEFAULT_STORAGE);
});

test("gatherStorage › owns new files like an image that a running VM writes, where the source's is gone", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const image = join(world.storage, "other.qcow2");
	writeFileSync(image, "image");
	chmodSync(image, 0o660);
	world.put(aVm({ uuid: NEW_VM, run: "1@1", disks: [aDisk({ path: image })] }));
	t.is((await storageIn(world, "/gone/a", world.storage)).owner.mode, 0o660);
	world.vms.clear();
	const lonely = await storageIn(world, "/gone/a", world.storage);
	t.is(lonely.owner.mode, 0o600);
	t.true(lonely.ownerReason.includes("directory"));
});

test("gatherStorage › finds files that are in the way, links that lead nowhere too", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const path = join(world.storage, "copy-vda.qcow2");
	symlinkSync("/nowhere", path);
	t.deepEqual((await storageIn(world, "/gone/a", world.storage)).taken, [path]);
});

test("gatherRestore › asks for a network that this host has not", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const hypervisor = { ...world.hypervisor, networks: async () => [{ name: "lan", active: true }] };
	Object.assign(world.deps, { hypervisor });
	const error = await t.throwsAsync(() => world.plan(), { message: /no network default/ });
	t.like(error, { code: "REFUSED" });
	const plan = await world.plan({ networks: { default: "lan" } });
	t.regex(plan.xml, /<source network='lan'\/>/);
});

test("gatherRestore › follows no link out of the repository", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const saved = join(world.increment.path, "domain-inactive.xml");
	renameSync(saved, join(world.root, "elsewhere.xml"));
	symlinkSync(join(world.root, "elsewhere.xml"), saved);
	t.like(await t.throwsAsync(() => world.plan()), { code: "VERIFY_FAILED" });
});

test("gatherRestore › copies no NVRAM that is a link", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const nvram = join(world.increment.path, "nvram");
	renameSync(nvram, join(world.root, "secret"));
	symlinkSync(join(world.root, "secret"), nvram);
	t.is((await world.plan()).nvram, null);
});

test("restore new › takes both names of a file away that a crash left with two", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await world.plan();
	const path = plan.disks[0]?.path ?? "";
	const end = await world.run(plan, { failAfter: "verify-layers" });
	writeFileSync(`${path}.knib-restore-${JOB}`, "copied");
	linkSync(`${path}.knib-restore-${JOB}`, path);
	const crashed = { ...end.state, undone: new Set<number>(), begun: new Set([0, 1, 2, 3]) };
	t.is((await world.recover(crashed)).how, "undone");
	t.deepEqual(world.files(), []);
});
