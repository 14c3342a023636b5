import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { KnibError, planConsolidate, type QuickDiskPlan, type RestorePlan } from "@knib/core";
import test from "ava";
import { overLayers } from "../../apps/host-daemon/src/hypervisor/backing-stores.ts";
import { findQuick } from "../../apps/host-daemon/src/jobs/quick-record.ts";
import { closeWorlds, restoreWorld } from "../support/restore-world.ts";

test.after.always(closeWorlds);

type World = Awaited<ReturnType<typeof restoreWorld>>;

const quickPlan = async (world: World): Promise<RestorePlan> => {
	const plan = await world.plan();
	const copy = plan.steps.find((step) => step.kind === "copy-disks");
	if (copy?.kind !== "copy-disks") throw new Error("a restore copies disks");
	const disks = copy.disks.map(
		(disk): QuickDiskPlan => ({
			...disk,
			place: disk.path,
			layers: [disk.layer, disk.layer.replace(world.increment.path, world.full.path)],
			policies: { write: null, read: null },
		}),
	);
	return {
		...plan,
		quick: true,
		xml: overLayers(plan.xml, disks, ["dac"]),
		steps: [
			{ kind: "hold" },
			{ kind: "make-quick-disks", id: null, disks, owner: copy.owner },
			{ kind: "define-vm" },
			{ kind: "start-vm", agentDeadlineMs: 5000 },
		],
	};
};

const vmOf = (world: World, uuid: string) => {
	const vm = world.vms.get(uuid);
	if (vm === undefined) throw new Error("no VM");
	return vm;
};

const consolidationOf = async (world: World, { uuid, name }: RestorePlan) => {
	const [found] = await findQuick(vmOf(world, uuid));
	if (found === undefined) throw new Error("no record");
	return planConsolidate({
		vm: { uuid, name },
		quick: { ...found.record, record: found.path },
		rate: 0,
	});
};

for (const failAfter of ["hold", "make-quick-disks", "define-vm"] as const) {
	test(`quick restore › leaves nothing behind when it goes back after ${failAfter}`, async (t) => {
		const world = await restoreWorld();
		t.teardown(world.close);
		const end = await world.run(await quickPlan(world), { failAfter });
		t.deepEqual(end.how === "undone" ? end.leftover : ["?"], []);
		t.deepEqual(world.files(), []);
		t.is(world.vms.size, 0);
		t.deepEqual(await world.holds(), []);
	});
}

test("quick restore › holds the chain until all is pulled in, whatever keeps it from going on", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await quickPlan(world);
	t.is((await world.run(plan)).how, "done");
	t.is((await world.holds()).length, 1);
	const made = await consolidationOf(world, plan);
	const pulled: string[] = [];
	let looks = 0;
	let stopped = true;
	const { vm } = world.hypervisor;
	Object.assign(world.hypervisor, {
		vm: async (id: string) => {
			looks += 1;
			// First the guest is off; then it is up; then libvirt does not answer; then a layer's trouble has stopped it.
			const { run: _run, ...off } = vmOf(world, plan.uuid);
			if (looks === 1) return { ...off, state: "shut off" };
			if (looks === 3) throw new KnibError("LIBVIRT_UNREACHABLE", "gone");
			return stopped ? { ...vmOf(world, plan.uuid), state: "paused" } : vm?.(id);
		},
		stoppedByDisk: async () => true,
		resume: async () => {
			stopped = false;
			pulled.push("resumed");
		},
		pull: async (uuid: string, target: string) => {
			if (!pulled.includes("failed")) {
				pulled.push("failed");
				throw new KnibError("COMMAND_FAILED", "the block job ended");
			}
			pulled.push(target);
			const path = vmOf(world, uuid).disks.find((disk) => disk.target === target)?.path ?? "";
			execFileSync("qemu-img", ["rebase", "-f", "qcow2", "-b", "", path]);
		},
	});
	const end = await world.run(made);
	t.is(end.how, "done", end.how === "undone" ? end.error.message : "");
	t.deepEqual(
		pulled.toSorted(),
		["failed", "resumed", ...plan.disks.map((one) => one.target)].toSorted(),
	);
	t.deepEqual(await world.holds(), []);
	t.deepEqual(await findQuick(vmOf(world, plan.uuid)), []);
	for (const { path } of plan.disks) {
		t.is((await world.images.chain(path, "qcow2")).length, 1);
		t.true(existsSync(path));
	}
	t.notRegex(vmOf(world, plan.uuid).xml.inactive, /backingStore|error_policy/);
	t.is((await world.run(made)).how, "done", "once more changes nothing");
});
