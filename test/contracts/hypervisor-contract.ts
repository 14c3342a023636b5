// The contract of the hypervisor: one suite over libvirt and over the in-memory twin.
import type { Vm, VmDisk } from "@knib/core";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import type { HypervisorHarness } from "./hypervisor-harness.ts";
import { MIB, overlayOn, rejectsWith } from "./image-harness.ts";

export type HypervisorTest = TestFn<{ harness: HypervisorHarness }>;
type T = ExecutionContext<{ harness: HypervisorHarness }>;
type State = "off" | "running" | "paused";

const SIZE = 8 * MIB;
const STATES: readonly State[] = ["off", "running", "paused"];
const NO_UUID = "00000000-0000-4000-8000-000000000000";

export type Disk = { target: string; path: string; format: "qcow2" | "raw" };

/** A VM with a qcow2 disk vda and a raw disk vdb, both with 1 in their first MiB, in some state. */
const aVm = async (t: T, state: State = "off", name = "one") => {
	const { harness } = t.context;
	const { hypervisor } = harness;
	const disks: Disk[] = [
		{
			target: "vda",
			path: await harness.image(`${name}-a.qcow2`, { format: "qcow2", size: SIZE }),
			format: "qcow2",
		},
		{
			target: "vdb",
			path: await harness.image(`${name}-b.raw`, { format: "raw", size: SIZE }),
			format: "raw",
		},
	];
	for (const disk of disks) await harness.fill(disk, { start: 0, length: MIB, value: 1 });
	await hypervisor.define(harness.definition({ name, disks }));
	const uuid = (await hypervisor.vm(name))?.uuid ?? "";
	if (state !== "off") await hypervisor.start(uuid);
	if (state === "paused") await hypervisor.suspend(uuid);
	const [vda, vdb] = disks;
	if (vda === undefined || vdb === undefined) throw new Error("two disks were made");
	return { uuid, vda, vdb };
};

const picture = async (t: T, uuid: string): Promise<Vm> => {
	const vm = await t.context.harness.hypervisor.vm(uuid);
	if (vm === undefined) throw new Error(`the VM ${uuid} is gone`);
	return vm;
};

const diskOf = async (t: T, uuid: string, target: string): Promise<VmDisk | undefined> =>
	(await picture(t, uuid)).disks.find((disk) => disk.target === target);

/** Paths of a disk's chain as the headers say it, top first. */
const chainOf = async (t: T, uuid: string, target: string): Promise<readonly string[]> => {
	const disk = await diskOf(t, uuid, target);
	const chain = await t.context.harness.images.chain(disk?.path ?? "", disk?.format ?? "");
	return chain.map((image) => image.path);
};

const stateWord = { off: "shut off", running: "running", paused: "paused" } as const;

/** Two overlays on vda, the VM switched to each: base ← o1 (2) ← o2 (3 at 2 MiB). */
const twoOverlays = async (t: T, state: State) => {
	const { harness } = t.context;
	const made = await aVm(t);
	const { uuid, vda } = made;
	const switchTo = (path: string) =>
		harness.hypervisor.switchToOverlays(uuid, [{ target: "vda", path }]);
	const o1 = await overlayOn(harness, "o1.qcow2", vda);
	await switchTo(o1.path);
	await harness.fill(o1, { start: 0, length: MIB, value: 2 });
	const o2 = await overlayOn(harness, "o2.qcow2", o1);
	await switchTo(o2.path);
	await harness.fill(o2, { start: 2 * MIB, length: MIB, value: 3 });
	if (state !== "off") await harness.hypervisor.start(uuid);
	if (state === "paused") await harness.hypervisor.suspend(uuid);
	return { ...made, o1, o2 };
};

const looking = (test: HypervisorTest): void => {
	test("vm › is found by uuid and by exact name, and else undefined", async (t) => {
		const { hypervisor } = t.context.harness;
		const { uuid } = await aVm(t, "off", "a & b");
		t.is((await hypervisor.vm("a & b"))?.uuid, uuid);
		t.is((await hypervisor.vm(uuid))?.name, "a & b");
		t.is(await hypervisor.vm("a &"), undefined);
		t.is(await hypervisor.vm("1"), undefined);
		t.is(await hypervisor.vm(NO_UUID), undefined);
	});
	for (const state of STATES) {
		test(`vm › shows disks and run of a VM that is ${state}`, async (t) => {
			const { uuid, vda, vdb } = await aVm(t, state);
			const vm = await picture(t, uuid);
			t.like(vm, { state: stateWord[state], persistent: true, managedSave: false, snapshots: [] });
			t.is(vm.run === undefined, state === "off");
			t.is(vm.xml.live === undefined, state === "off");
			const plain = { bus: "virtio", device: "disk", source: "file", readonly: false, busy: false };
			t.like(vm.disks[0], { ...plain, ...vda });
			t.like(vm.disks[1], { ...plain, ...vdb });
			const listed = await t.context.harness.hypervisor.list();
			t.deepEqual(
				listed.filter((one) => one.uuid === uuid),
				[{ uuid, name: "one", state: stateWord[state] }],
			);
		});
	}
	test("vm › has another run after it was off", async (t) => {
		const { hypervisor } = t.context.harness;
		const { uuid } = await aVm(t, "running");
		const { run } = await picture(t, uuid);
		t.is((await picture(t, uuid)).run, run);
		await hypervisor.destroy(uuid);
		await hypervisor.start(uuid);
		t.not((await picture(t, uuid)).run, run);
	});
	test("versions › are told", async (t) => {
		const { libvirt, qemu } = await t.context.harness.hypervisor.versions();
		t.regex(libvirt, /^\d+\.\d+/);
		t.regex(qemu, /^\d+\.\d+/);
	});
	test("calls › reject for a VM that is not there", async (t) => {
		const { hypervisor } = t.context.harness;
		await rejectsWith(t, hypervisor.start(NO_UUID), "VM_NOT_FOUND");
		await rejectsWith(t, hypervisor.settle(NO_UUID), "VM_NOT_FOUND");
		await rejectsWith(t, hypervisor.switchToOverlays(NO_UUID, []), "VM_NOT_FOUND");
		const disk = { target: "vda", base: "/a", top: "/b" };
		await rejectsWith(t, hypervisor.commit(NO_UUID, disk), "VM_NOT_FOUND");
	});
	test("fileUses › names disks, chains, snapshots and saved states of all VMs", async (t) => {
		const { hypervisor } = t.context.harness;
		const { uuid, vda, vdb, o1, o2 } = await twoOverlays(t, "running");
		const o3 = await overlayOn(t.context.harness, "o3.qcow2", o2);
		await t.context.harness.snapshot(uuid, "vda", o3.path);
		const uses = (await hypervisor.fileUses()).filter((use) => use.vm === uuid);
		const has = (path: string, where: string, writable: boolean): boolean =>
			uses.some((use) => use.path === path && use.where === where && use.writable === writable);
		t.true(has(o3.path, "live", true) && has(o3.path, "inactive", true));
		for (const { path } of [o2, o1, vda]) t.true(has(path, "backing", false), path);
		t.true(has(vdb.path, "live", true));
		t.true(has(o2.path, "snapshot", false), "what the snapshot froze");
		await t.context.harness.save(uuid);
		const saved = (await hypervisor.fileUses()).filter((use) => use.where === "managed save");
		t.true(saved.some((use) => use.path === o3.path && use.writable));
		t.like(await picture(t, uuid), { managedSave: true, state: "shut off" });
	});
	test("fileUses › counts what a VM that is off names though nothing is there", async (t) => {
		const { hypervisor, images } = t.context.harness;
		const { uuid, vda } = await aVm(t);
		await images.unlink(vda.path);
		const uses = await hypervisor.fileUses();
		t.true(uses.some((use) => use.vm === uuid && use.path === vda.path));
	});
	test("settle › changes nothing", async (t) => {
		for (const state of STATES) {
			const { uuid } = await aVm(t, state, state);
			const before = await picture(t, uuid);
			await t.context.harness.hypervisor.settle(uuid);
			t.deepEqual(await picture(t, uuid), before);
		}
	});
};

const switching = (test: HypervisorTest): void => {
	for (const state of STATES) {
		test(`switchToOverlays › puts disks onto their overlays at once while ${state}`, async (t) => {
			const { harness } = t.context;
			const { hypervisor } = harness;
			const { uuid, vda, vdb } = await aVm(t, state);
			const a = await overlayOn(harness, "a.qcow2", vda);
			const b = await overlayOn(harness, "b.qcow2", vdb);
			const overlays = [
				{ target: "vda", path: a.path },
				{ target: "vdb", path: b.path },
			];
			await hypervisor.switchToOverlays(uuid, overlays);
			t.deepEqual(await chainOf(t, uuid, "vda"), [a.path, vda.path]);
			t.deepEqual(await chainOf(t, uuid, "vdb"), [b.path, vdb.path]);
			const vm = await picture(t, uuid);
			t.is(vm.state, stateWord[state]);
			t.deepEqual(vm.snapshots, []);
			await hypervisor.switchToOverlays(uuid, overlays);
			t.is(await harness.images.writable(a.path, "qcow2"), state === "off");
			t.is(await harness.images.writable(vda.path, "qcow2"), state === "off");
			await hypervisor.destroy(uuid);
			t.deepEqual(await chainOf(t, uuid, "vda"), [a.path, vda.path], "the inactive one too");
			await hypervisor.start(uuid);
		});
		test(`switchToOverlays › touches no disk when one cannot be switched while ${state}`, async (t) => {
			const { harness } = t.context;
			const { uuid, vda, vdb } = await aVm(t, state);
			const a = await overlayOn(harness, "a.qcow2", vda);
			const missing = [
				{ target: "vda", path: a.path },
				{ target: "vdb", path: `${harness.directory}/none.qcow2` },
			];
			const { hypervisor } = harness;
			await rejectsWith(t, hypervisor.switchToOverlays(uuid, missing), "COMMAND_FAILED");
			const unknown = [{ target: "vdz", path: a.path }];
			await rejectsWith(t, hypervisor.switchToOverlays(uuid, unknown), "NOT_FOUND");
			t.deepEqual(await chainOf(t, uuid, "vda"), [vda.path]);
			t.deepEqual(await chainOf(t, uuid, "vdb"), [vdb.path]);
			t.is((await picture(t, uuid)).state, stateWord[state]);
		});
	}
};

const merging = (test: HypervisorTest): void => {
	for (const state of STATES) {
		test(`commit › merges a middle image while ${state}`, async (t) => {
			const { harness } = t.context;
			const { uuid, vda, o1, o2 } = await twoOverlays(t, state);
			const range = { target: "vda", base: vda.path, top: o1.path };
			await harness.hypervisor.commit(uuid, range);
			t.deepEqual(await chainOf(t, uuid, "vda"), [o2.path, vda.path]);
			await harness.hypervisor.commit(uuid, range);
			t.is((await picture(t, uuid)).state, stateWord[state]);
			t.true(await harness.images.exists(o1.path), "no file is removed");
			await harness.hypervisor.destroy(uuid);
			t.is(await harness.read(vda, 0), 2);
			t.is(await harness.read(vda, 2 * MIB), 0);
			t.is(await harness.read(o2, 2 * MIB), 3);
			await harness.hypervisor.start(uuid);
			const uses = await harness.hypervisor.fileUses();
			t.false(
				uses.some((use) => use.path === o1.path),
				"nothing names what was merged",
			);
		});
		test(`commit › merges everything down to the base while ${state}`, async (t) => {
			const { harness } = t.context;
			const { uuid, vda, o1, o2 } = await twoOverlays(t, state);
			const seen: number[] = [];
			const range = { target: "vda", base: vda.path, top: o2.path };
			await harness.hypervisor.commit(uuid, range, { onProgress: (done) => seen.push(done) });
			t.true(seen.every((done) => done >= 0 && done <= 1));
			t.like(await diskOf(t, uuid, "vda"), { path: vda.path, format: "qcow2", busy: false });
			await harness.hypervisor.commit(uuid, range);
			await harness.hypervisor.destroy(uuid);
			t.is(await harness.read(vda, 0), 2);
			t.is(await harness.read(vda, 2 * MIB), 3);
			t.is((await diskOf(t, uuid, "vda"))?.path, vda.path);
			const uses = await harness.hypervisor.fileUses();
			t.false(uses.some((use) => [o1.path, o2.path].includes(use.path)));
			await harness.hypervisor.start(uuid);
		});
		test(`commit › takes a raw base while ${state}`, async (t) => {
			const { harness } = t.context;
			const { uuid, vdb } = await aVm(t);
			const b = await overlayOn(harness, "b.qcow2", vdb);
			await harness.hypervisor.switchToOverlays(uuid, [{ target: "vdb", path: b.path }]);
			await harness.fill(b, { start: 0, length: MIB, value: 5 });
			if (state !== "off") await harness.hypervisor.start(uuid);
			if (state === "paused") await harness.hypervisor.suspend(uuid);
			const range = { target: "vdb", base: vdb.path, top: b.path };
			await harness.hypervisor.commit(uuid, range);
			t.like(await diskOf(t, uuid, "vdb"), { path: vdb.path, format: "raw" });
			await harness.hypervisor.destroy(uuid);
			t.is(await harness.read(vdb, 0), 5);
		});
		test(`commit › refuses a base that is not below while ${state}`, async (t) => {
			const { harness } = t.context;
			const { uuid, vda, o1, o2 } = await twoOverlays(t, state);
			const chain = [o2.path, o1.path, vda.path];
			const wrong = { target: "vda", base: o2.path, top: o1.path };
			await rejectsWith(t, harness.hypervisor.commit(uuid, wrong), "REFUSED");
			const stranger = await harness.image("stranger.qcow2", { format: "qcow2", size: SIZE });
			const other = { target: "vda", base: stranger, top: o1.path };
			await rejectsWith(t, harness.hypervisor.commit(uuid, other), "REFUSED");
			t.deepEqual(await chainOf(t, uuid, "vda"), chain);
		});
		test(`commit › can be cancelled and done again while ${state}`, async (t) => {
			const { harness } = t.context;
			const { uuid, vda, o1, o2 } = await twoOverlays(t, state);
			const range = { target: "vda", base: vda.path, top: o2.path };
			const signal = AbortSignal.abort();
			await rejectsWith(t, harness.hypervisor.commit(uuid, range, { signal }), "CANCELLED");
			t.deepEqual(await chainOf(t, uuid, "vda"), [o2.path, o1.path, vda.path]);
			t.false((await diskOf(t, uuid, "vda"))?.busy);
			await harness.hypervisor.commit(uuid, range);
			t.deepEqual(await chainOf(t, uuid, "vda"), [vda.path]);
		});
	}
	test("commit › refuses a VM with a saved state", async (t) => {
		const { harness } = t.context;
		const { uuid, vda, o2 } = await twoOverlays(t, "running");
		await harness.save(uuid);
		const range = { target: "vda", base: vda.path, top: o2.path };
		await rejectsWith(t, harness.hypervisor.commit(uuid, range), "VM_STATE");
	});
	test("commit › takes up the merge that a dead client left", async (t) => {
		const { harness } = t.context;
		const { uuid, vda, o2 } = await twoOverlays(t, "running");
		const range = { target: "vda", base: vda.path, top: o2.path };
		await harness.leaveMerge(uuid, range);
		t.true((await diskOf(t, uuid, "vda"))?.busy);
		await harness.hypervisor.commit(uuid, range);
		t.like(await diskOf(t, uuid, "vda"), { path: vda.path, busy: false });
	});
	for (const how of ["pivot", "abort"] as const) {
		test(`endBlockJob › ends a job that a dead client left: ${how}`, async (t) => {
			const { harness } = t.context;
			const { uuid, vda, o2 } = await twoOverlays(t, "running");
			const range = { target: "vda", base: vda.path, top: o2.path };
			await harness.hypervisor.endBlockJob(uuid, "vda", how);
			await harness.leaveMerge(uuid, range);
			await harness.hypervisor.endBlockJob(uuid, "vda", how);
			const path = how === "pivot" ? vda.path : o2.path;
			t.like(await diskOf(t, uuid, "vda"), { path, busy: false });
		});
	}
	test("pull › leaves one image with everything in it", async (t) => {
		const { harness } = t.context;
		const { uuid, o2 } = await twoOverlays(t, "running");
		await harness.hypervisor.pull(uuid, "vda", 0);
		t.deepEqual(await chainOf(t, uuid, "vda"), [o2.path]);
		await harness.hypervisor.pull(uuid, "vda", 0);
		await harness.hypervisor.destroy(uuid);
		t.is(await harness.read(o2, 0), 2);
		t.is(await harness.read(o2, 2 * MIB), 3);
	});
};

/** Registers the suite on an implementation; a harness is opened for each test. */
export const hypervisorContract = (open: () => Promise<HypervisorHarness>): HypervisorTest => {
	const test = anyTest as HypervisorTest;
	test.beforeEach(async (t) => {
		t.context = { harness: await open() };
	});
	test.afterEach.always(async (t) => t.context.harness?.close());
	looking(test);
	switching(test);
	merging(test);
	return test;
};
