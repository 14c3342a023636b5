// The contract of the hypervisor: one suite over libvirt and over the in-memory twin. Here: looking at VMs, and switching their
// disks to overlays.
import anyTest from "ava";
import type { HypervisorHarness } from "./hypervisor-harness.ts";
import { mergeContract } from "./hypervisor-merge-contract.ts";
import {
	aVm,
	chainOf,
	type HypervisorTest,
	picture,
	STATES,
	stateWord,
	twoOverlays,
} from "./hypervisor-vms.ts";
import { overlayOn, rejectsWith } from "./image-harness.ts";

const NO_UUID = "00000000-0000-4000-8000-000000000000";

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

/** Registers the suite on an implementation; a harness is opened for each test. */
export const hypervisorContract = (open: () => Promise<HypervisorHarness>): HypervisorTest => {
	const test = anyTest as HypervisorTest;
	test.beforeEach(async (t) => {
		t.context = { harness: await open() };
	});
	test.afterEach.always(async (t) => t.context.harness?.close());
	looking(test);
	switching(test);
	mergeContract(test);
	return test;
};
