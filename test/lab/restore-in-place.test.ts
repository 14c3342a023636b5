// Restores over a VM's own disks: every way forward and back, and what must be refused. ACCEPTANCE R1, R6 to R8, R13.
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { defineGuest, type Guest } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { compare } from "./support/oracle.ts";
import { assertPoint, overlays, type Point, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
const points: Point[] = [];

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "inplace" });
	await guest.start();
	for (const generation of [1, 2, 3]) {
		await guest.exec(
			`echo gen${generation} > /mnt/data/gen; echo gen${generation} > /var/gen; sync`,
		);
		points.push(await takePoint(knib, guest));
	}
	await guest.exec("echo now > /mnt/data/gen; echo now > /var/gen; sync");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const idOf = (n: number): string => points[n]?.backup.id ?? "";
const generations = async (): Promise<string> =>
	(await guest.exec("cat /mnt/data/gen /var/gen")).stdout.trim().replace("\n", " ");
const leftovers = async (): Promise<readonly string[]> =>
	(await readdir(guest.diskDir)).filter((name) => /knib-(old|new|undone|restore)/.test(name));

const assertDisks = async (t: ExecutionContext, point: Point | undefined): Promise<void> => {
	for (const disk of await guest.disks()) {
		const reference = point?.references.get(disk.target);
		if (reference === undefined) continue;
		const { same, text } = await compare(disk.path, disk.format, reference);
		t.true(same, `${disk.target}: ${text}`);
	}
};

test.serial("restore vm › is refused while the VM runs, and touches nothing", async (t) => {
	const before = await guest.disks();
	const { code, stderr } = await knib.cli("restore", "vm", idOf(0));
	t.is(code, 6, stderr);
	t.deepEqual(await guest.disks(), before);
	t.deepEqual(await leftovers(), []);
});

test.serial(
	"restore vm › shuts the VM down, restores an increment, and starts it as it was then",
	async (t) => {
		await knib.ok("restore", "vm", idOf(1), "--shutdown", "--start", "--json");
		await guest.waitReady();
		t.is(await generations(), "gen2 gen2");
		t.deepEqual(await overlays(guest), [0, 0]);
		for (const disk of await guest.disks()) t.regex(disk.path, /\/(root|data)\.qcow2$/);
		t.true((await leftovers()).length >= 4);
		for (const point of points) await assertPoint(t, point);
	},
);

test.serial("restore vm › is refused while old disks are kept", async (t) => {
	await guest.shutdown();
	const { code, stderr } = await knib.cli("restore", "vm", idOf(0));
	t.is(code, 6);
	t.regex(stderr, /undo|confirm/);
});

test.serial("restore undo › brings back the last write before the restore", async (t) => {
	await knib.ok("restore", "undo", "inplace", "--json");
	await guest.start();
	t.is(await generations(), "now now");
	await guest.shutdown();
	t.is((await knib.cli("restore", "undo", "inplace")).code, 4);
});

test.serial("restore confirm › leaves nothing but the disks", async (t) => {
	await knib.ok("restore", "confirm", "inplace", "--json");
	t.deepEqual(await leftovers(), []);
	await guest.start();
	t.is(await generations(), "now now");
	await guest.shutdown();
});

test.serial("restore vm › refuses a VM with a saved state", async (t) => {
	await guest.start();
	await lab.virsh("managedsave", "inplace");
	const { code, stderr } = await knib.cli("restore", "vm", idOf(0));
	t.is(code, 6);
	t.regex(stderr, /managed-save/);
	await lab.virsh("managedsave-remove", "inplace");
	t.deepEqual(await leftovers(), []);
});

test.serial(
	"restore vm › from the full: makes a lost disk anew, keeps a gained one, and the next backup is a full",
	async (t) => {
		const gained = join(dirname((await guest.disks())[0]?.path ?? ""), "gained.qcow2");
		await run(["qemu-img", "create", "-q", "-f", "qcow2", gained, "16M"]);
		await lab.virsh(
			"attach-disk",
			"inplace",
			gained,
			"vdc",
			"--config",
			"--driver",
			"qemu",
			"--subdriver",
			"qcow2",
		);
		await lab.virsh("detach-disk", "inplace", "vdb", "--config");
		await knib.ok("restore", "vm", idOf(0), "--json");
		const disks = await guest.disks();
		t.deepEqual(disks.map((disk) => disk.target).sort(), ["vda", "vdb", "vdc"]);
		t.is(disks.find((disk) => disk.target === "vdc")?.path, gained);
		await assertDisks(t, points[0]);
		await guest.start();
		t.is(await generations(), "gen1 gen1");
		const next = await takeBackup(knib, "inplace");
		t.is(next.kind, "full", next.reason);
		for (const point of points) await assertPoint(t, point);
		await guest.shutdown();
		await knib.ok("restore", "confirm", "inplace", "--json");
		t.deepEqual(await leftovers(), []);
		await guest.start();
		t.is(await generations(), "gen1 gen1");
	},
);
