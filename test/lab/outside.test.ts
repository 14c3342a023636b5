// What operators and other tools do to a VM between two backups. ACCEPTANCE B17, I1, I2, I4, I5, I9, I10, SAFETY F4.
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import test from "ava";
import { z } from "zod";
import { defineGuest, type Guest } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { compare, imageChain, takeOracle } from "./support/oracle.ts";
import { assertPoint, overlays, takePoint } from "./support/points.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "outside" });
	await guest.start();
	await takeBackup(knib, "outside");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const write = (vm: Guest, text: string) => vm.exec(`echo ${text} > /var/gen; sync`);

const snapshotsOf = async (vm: Guest): Promise<readonly string[]> =>
	(await lab.virsh("snapshot-list", vm.name, "--name")).split("\n").filter((name) => name !== "");

const knibFilesBeside = async (path: string): Promise<readonly string[]> =>
	(await readdir(dirname(path))).filter(
		(name) => name.startsWith(`${basename(path)}.knib-`) && name.endsWith(".qcow2"),
	);

/** All images of a VM's disks, each of which must be there: what a snapshot stands on is what it is reverted to. */
const imagesOf = async (vm: Guest): Promise<readonly string[]> => {
	const chains = await Promise.all(
		(await vm.disks()).map((disk) => imageChain(disk.path, disk.format)),
	);
	return chains.flat().map((image) => image.path);
};

test.serial("qemu › killed between two backups leaves the chain as it was", async (t) => {
	await write(guest, "killed");
	await guest.kill();
	await guest.start();
	const point = await takePoint(knib, guest);
	t.is(point.backup.kind, "incremental", point.backup.reason);
	await assertPoint(t, point);
});

test.serial(
	"snapshots › of the operator, one and then two, are one layer per disk and keep what they stand on",
	async (t) => {
		await lab.virsh("snapshot-create-as", "outside", "mine", "--disk-only", "--atomic");
		await write(guest, "one");
		const one = await takePoint(knib, guest);
		t.is(one.backup.kind, "incremental", one.backup.reason);
		const before = (await imagesOf(guest)).filter((path) => /\.mine$/.test(path));
		await lab.virsh("snapshot-create-as", "outside", "mine2", "--disk-only", "--atomic");
		await write(guest, "two");
		await lab.virsh("snapshot-create-as", "outside", "mine3", "--disk-only", "--atomic");
		await write(guest, "three");
		const two = await takePoint(knib, guest);
		t.is(two.backup.kind, "incremental", two.backup.reason);
		t.is(two.backup.disks.length, 2);
		for (const point of [one, two]) await assertPoint(t, point);
		t.deepEqual(await snapshotsOf(guest), ["mine", "mine2", "mine3"]);
		const after = await imagesOf(guest);
		t.is(before.length, 2);
		t.true(before.every((path) => after.includes(path)));
	},
);

test.serial(
	"snapshots › internal ones in an overlay of knib's are never merged away, and are shown",
	async (t) => {
		await lab.virsh("snapshot-create-as", "outside", "inner");
		await write(guest, "inner");
		const next = await takePoint(knib, guest);
		t.is(next.backup.kind, "full");
		t.regex(next.backup.reason, /internal snapshot of the operator/);
		await assertPoint(t, next);
		const vm = z
			.looseObject({ notes: z.array(z.string()) })
			.parse(await knib.ok("vm", "show", "outside"));
		t.true(vm.notes.some((note) => /operator's internal snapshot in an overlay/.test(note)));
		const again = await takePoint(knib, guest);
		t.is(again.backup.kind, "incremental", again.backup.reason);
		await assertPoint(t, again);
		t.true((await snapshotsOf(guest)).includes("inner"));
		await guest.shutdown();
		await lab.virsh("snapshot-revert", "outside", "inner", "--running");
		await guest.waitReady();
		t.is((await guest.exec("cat /var/gen")).stdout, "three\n");
		const reverted = await takePoint(knib, guest);
		t.is(reverted.backup.kind, "full", reverted.backup.reason);
		await assertPoint(t, reverted);
		await guest.shutdown();
	},
);

test.serial("hook › starts no VM below a live overlay, with knibd stopped", async (t) => {
	const vm = await defineGuest(lab, { name: "covered" });
	await vm.start();
	const [before] = await vm.disks();
	const path = before?.path ?? "";
	await knib.ok("init");
	await lab.killDaemon();
	await lab.startDaemon();
	await takeBackup(knib, "covered");
	await write(vm, "covered");
	await vm.shutdown();
	await knib.stop();
	// as whoever keeps the first definition somewhere else would
	const thief = await defineGuest(lab, { name: "thief", disks: [{ target: "vda", path }] });
	const error = await t.throwsAsync(() => lab.virsh("start", "thief"));
	t.regex(error?.message ?? "", /knib: .* lies below .*knib-.*, which holds what VM covered wrote/);
	await vm.start();
	t.is((await vm.exec("cat /var/gen")).stdout, "covered\n");
	await thief.remove();
	await vm.remove();
	await knib.start();
});

test.serial("overlay › that another VM is defined on stays until it is not", async (t) => {
	const vm = await defineGuest(lab, { name: "shared" });
	await vm.start();
	await takeBackup(knib, "shared");
	await write(vm, "shared");
	await vm.shutdown();
	const [disk] = await vm.disks();
	const other = await defineGuest(lab, {
		name: "other",
		disks: [{ target: "vda", path: disk?.path ?? "" }],
	});
	const beside = await takePoint(knib, vm);
	await assertPoint(t, beside);
	t.is((await overlays(vm))[0], 2, "what the other VM stands on stays");
	await other.remove();
	const alone = await takePoint(knib, vm);
	t.is(alone.backup.kind, "incremental", alone.backup.reason);
	await assertPoint(t, alone);
	t.is((await overlays(vm))[0], 1);
	await vm.remove();
});

test.serial("disks › come and go, running and off, while the chain goes on", async (t) => {
	const vm = await defineGuest(lab, { name: "disks" });
	await vm.start();
	await takeBackup(knib, "disks");
	await vm.exec("echo kept > /mnt/data/gen; umount /mnt/data");
	const data = (await imageChain((await vm.disks())[1]?.path ?? "")).at(-1);
	const base = { path: data?.path ?? "", format: data?.format ?? "" };

	const leaves = async (...flags: readonly string[]) => {
		const directory = `${lab.dir}/left${flags.length}`;
		const before = await takeOracle(vm, { directory, during: async () => undefined });
		await lab.virsh("detach-disk", "disks", "vdb", "--config", ...flags);
		await vm.released("vdb");
		const point = await takePoint(knib, vm);
		t.is(point.backup.kind, "incremental", point.backup.reason);
		t.regex(point.backup.reason, /vdb is no longer part/);
		t.deepEqual(
			point.backup.disks.map((one) => one.target),
			["vda"],
		);
		await assertPoint(t, point);
		const { same, text } = await compare(
			base.path,
			base.format,
			before.references.get("vdb") ?? "",
		);
		t.true(same, text);
		t.deepEqual(await knibFilesBeside(base.path), [], "its overlay is merged and gone");
	};
	const comes = async () => {
		await lab.virsh(
			...["attach-disk", "disks", base.path, "vdb", "--config", "--subdriver", base.format],
		);
		const point = await takePoint(knib, vm);
		t.is(point.backup.kind, "incremental", point.backup.reason);
		t.regex(point.backup.reason, /vdb in full: vdb was not part of the previous backup/);
		t.is(point.backup.disks.find((one) => one.target === "vdb")?.parentLayer, null);
		await assertPoint(t, point);
	};

	await leaves("--live");
	await vm.shutdown();
	await comes();
	await leaves();
});
