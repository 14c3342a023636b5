// The part of the hypervisor's contract that is about merging, pulling, and jobs of dead clients.
import {
	aVm,
	chainOf,
	diskOf,
	type HypervisorTest,
	ON_AND_OFF,
	picture,
	SIZE,
	STATES,
	stateWord,
	twoOverlays,
} from "./hypervisor-vms.ts";
import { MIB, overlayOn, rejectsWith } from "./image-harness.ts";

/** Registers the tests. */
export const mergeContract = (test: HypervisorTest): void => {
	for (const state of ON_AND_OFF) {
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
	}
	for (const state of STATES) {
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
	}
	for (const state of ON_AND_OFF) {
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
	test("endBlockJob › is nothing on a VM that is off", async (t) => {
		const { uuid } = await aVm(t);
		await t.notThrowsAsync(t.context.harness.hypervisor.endBlockJob(uuid, "vda", "abort"));
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
