// What only real storage shows: block devices, pools, owners, file identities, full and odd file systems.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileFacts } from "@knib/core";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import type { HypervisorHarness } from "../contracts/hypervisor-harness.ts";
import { realHypervisorHarness } from "../contracts/hypervisor-lab-harness.ts";
import { MIB, overlayOn, rejectsWith } from "../contracts/image-harness.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { run } from "./support/run.ts";
import { attachLoop, mountTmpfs } from "./support/storage.ts";

const test = anyTest as TestFn<{ harness: HypervisorHarness }>;
type T = ExecutionContext<{ harness: HypervisorHarness }>;

const SIZE = 16 * MIB;

let lab: Lab;

test.before(async () => {
	lab = await startLab({ flavour: "default" });
});
test.after.always(() => lab?.stop());
test.beforeEach(async (t) => {
	t.context = { harness: await realHypervisorHarness(lab) };
});
test.afterEach.always((t) => t.context.harness?.close());

const defineWith = async (t: T, disks: string): Promise<string> => {
	const { hypervisor, definition } = t.context.harness;
	const xml = definition({ name: "one", disks: [] }).replace("<devices>", `<devices>${disks}`);
	await hypervisor.define(xml);
	return (await hypervisor.vm("one"))?.uuid ?? "";
};

test("block device › is a base of merges, running and off", async (t) => {
	const { harness } = t.context;
	const { hypervisor, images } = harness;
	const file = await harness.image("lun", { format: "raw", size: SIZE });
	const loop = await attachLoop(lab, file);
	const device = { path: loop.device, format: "raw" };
	try {
		const disk = `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='${device.path}'/><target dev='vda' bus='virtio'/></disk>`;
		const uuid = await defineWith(t, disk);
		t.like((await hypervisor.vm(uuid))?.disks[0], { source: "block", path: device.path });
		t.like(await images.facts(device.path), { kind: "block", size: SIZE, mtime: "0" });
		for (const [value, running] of [
			[5, false],
			[6, true],
		] as const) {
			const overlay = await overlayOn(harness, `o${value}.qcow2`, device);
			await hypervisor.switchToOverlays(uuid, [{ target: "vda", path: overlay.path }]);
			await harness.fill(overlay, { start: 0, length: MIB, value });
			if (running) await hypervisor.start(uuid);
			const range = { target: "vda", base: device.path, top: overlay.path };
			await hypervisor.commit(uuid, range);
			const after = { source: "block", path: device.path, format: "raw" };
			t.like((await hypervisor.vm(uuid))?.disks[0], after);
			await hypervisor.destroy(uuid);
			t.is(await harness.read(device, 0), value);
			t.is(await images.writable(device.path, "raw"), true);
		}
		await hypervisor.start(uuid);
		t.is(await images.writable(device.path, "raw"), false);
		await hypervisor.destroy(uuid);
	} finally {
		await loop.detach();
	}
});

test("volume › is shown by its path, and its overlay merged again", async (t) => {
	const { harness } = t.context;
	const { hypervisor } = harness;
	const pool = join(harness.directory, "pool");
	await mkdir(pool);
	await lab.virsh("pool-create-as", "images", "dir", "--target", pool);
	try {
		await lab.virsh("vol-create-as", "images", "v.qcow2", "16M", "--format", "qcow2");
		const path = join(pool, "v.qcow2");
		const disk = `<disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='images' volume='v.qcow2'/><target dev='vda' bus='virtio'/></disk>`;
		const uuid = await defineWith(t, disk);
		for (const running of [true, false]) {
			if (running) await hypervisor.start(uuid);
			t.like((await hypervisor.vm(uuid))?.disks[0], { source: "file", path });
			const uses = await hypervisor.fileUses();
			t.true(uses.some((use) => use.path === path && use.writable));
			const overlay = await overlayOn(harness, `o${running}.qcow2`, { path, format: "qcow2" });
			await hypervisor.switchToOverlays(uuid, [{ target: "vda", path: overlay.path }]);
			await hypervisor.commit(uuid, { target: "vda", base: path, top: overlay.path });
			t.is((await hypervisor.vm(uuid))?.disks[0]?.path, path);
			await hypervisor.destroy(uuid);
		}
	} finally {
		await hypervisor.destroy((await hypervisor.vm("one"))?.uuid ?? "");
		await lab.virsh("pool-destroy", "images");
	}
});

test("facts › survive a change of owner and a start, and show a copy over the same file", async (t) => {
	const { harness } = t.context;
	const { hypervisor, images, definition } = harness;
	const path = await harness.image("v.qcow2", { format: "qcow2", size: SIZE });
	await harness.fill({ path, format: "qcow2" }, { start: 0, length: MIB, value: 1 });
	const before = await images.facts(path);
	const same = (facts: FileFacts, what: string): void => {
		const { inode, fileSystem, size, mtime, headerDigest, extentsDigest } = before;
		t.like(facts, { inode, fileSystem, size, mtime, headerDigest, extentsDigest }, what);
		t.not(extentsDigest, undefined);
	};
	await run(["chown", "4242:4242", path]);
	const chowned = await images.facts(path);
	same(chowned, "chown");
	t.not(chowned.ctime, before.ctime);
	await hypervisor.create(
		definition({ name: "one", disks: [{ target: "vda", path, format: "qcow2" }] }),
	);
	await hypervisor.destroy((await hypervisor.vm("one"))?.uuid ?? "");
	same(await images.facts(path), "start and stop");
	await run(["cp", path, `${path}.copy`]);
	await run(["touch", "-r", path, `${path}.copy`]);
	await run(["cp", "-p", `${path}.copy`, path]);
	const copied = await images.facts(path);
	t.deepEqual([copied.inode, copied.mtime, copied.size], [before.inode, before.mtime, before.size]);
	t.not(copied.extentsDigest, before.extentsDigest);
});

test("tmpfs › is copied to, tells no extents, and a full one leaves no part of a copy", async (t) => {
	const { harness } = t.context;
	const { images } = harness;
	const source = {
		path: await harness.image("v.qcow2", { format: "qcow2", size: SIZE }),
		format: "qcow2",
	};
	await harness.fill(source, { start: 0, length: 4 * MIB, value: 7 });
	const mounted = await mountTmpfs(lab, "full", 6);
	try {
		const copy = { path: join(mounted.path, "copy.qcow2"), format: "qcow2" as const };
		await images.convert({ source, target: copy });
		t.true((await images.compare(source, copy)).identical);
		t.is((await images.facts(copy.path)).extentsDigest, undefined);
		const second = { path: join(mounted.path, "second.qcow2"), format: "qcow2" as const };
		const error = await rejectsWith(
			t,
			images.convert({ source, target: second }),
			"COMMAND_FAILED",
		);
		t.regex(String(error.details["stderr"]), /No space left on device/);
		t.deepEqual(await readdir(mounted.path), ["copy.qcow2"]);
	} finally {
		await mounted.unmount();
	}
});

test("convert › reads a frozen image of a running VM, and not the one in use", async (t) => {
	const { harness } = t.context;
	const { hypervisor, images, definition, directory } = harness;
	const base = {
		path: await harness.image("v.qcow2", { format: "qcow2", size: SIZE }),
		format: "qcow2",
	};
	await harness.fill(base, { start: 0, length: MIB, value: 1 });
	await hypervisor.create(definition({ name: "one", disks: [{ target: "vda", ...base }] }));
	const target = { path: join(directory, "copy.qcow2"), format: "qcow2" as const };
	await rejectsWith(t, images.convert({ source: base, target }), "COMMAND_FAILED");
	const overlay = await overlayOn(harness, "o.qcow2", base);
	const uuid = (await hypervisor.vm("one"))?.uuid ?? "";
	await hypervisor.switchToOverlays(uuid, [{ target: "vda", path: overlay.path }]);
	await images.convert({ source: base, target });
	t.true((await images.compare(base, target)).identical);
	t.true((await images.check(base.path)).ok);
	t.like((await images.map(base.path, "qcow2"))[0], { data: true, depth: 0 });
});

test("convert › cancelled in the middle leaves nothing", async (t) => {
	const { images, image, fill, directory } = t.context.harness;
	const source = {
		path: await image("v.qcow2", { format: "qcow2", size: 64 * MIB }),
		format: "qcow2",
	};
	await fill(source, { start: 0, length: 64 * MIB, value: 7 });
	const target = { path: join(directory, "copy.qcow2"), format: "qcow2" as const };
	const controller = new AbortController();
	const seen: number[] = [];
	const onProgress = (done: number): void => {
		seen.push(done);
		if (done > 0.1) controller.abort();
	};
	const copy = images.convert(
		{ source, target, rate: 16 * MIB },
		{ signal: controller.signal, onProgress },
	);
	await rejectsWith(t, copy, "CANCELLED");
	t.true((seen.at(-1) ?? 1) < 1);
	t.deepEqual(await readdir(directory), ["v.qcow2"]);
});

test("createOverlay › takes owner, mode and access list of a disk", async (t) => {
	const { harness } = t.context;
	const base = {
		path: await harness.image("v.qcow2", { format: "qcow2", size: SIZE }),
		format: "qcow2",
	};
	await run(["chown", "4242:4343", base.path]);
	await run(["chmod", "0640", base.path]);
	await run(["setfacl", "-m", "u:4444:rw,g:4545:r", base.path]);
	const overlay = await overlayOn(harness, "o.qcow2", base);
	const acl = async (path: string) => (await run(["getfacl", "-cpn", path])).stdout;
	t.is(await acl(overlay.path), await acl(base.path));
	t.regex(await acl(overlay.path), /user:4444:rw-/);
	t.like(await harness.images.facts(overlay.path), { uid: 4242, gid: 4343 });
});
