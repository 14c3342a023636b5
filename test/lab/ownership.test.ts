// An unprivileged qemu for which libvirt changes no owner (dynamic_ownership = 0): what knib makes beside a disk must be open to it as
// the disk is, or the VM does not start again. ACCEPTANCE B23, SAFETY F12.
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { defineGuest, type Guest, guestOf } from "./support/guest.ts";
import { type Knib, startKnib } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { assertPoint, overlays, type Point, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
const points: Point[] = [];

test.before(async () => {
	lab = await startLab({ flavour: "static" });
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "static" });
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const generation = async (): Promise<string> =>
	(await guest.exec("cat /mnt/data/gen")).stdout.trim();

const idOf = (index: number): string => points[index]?.backup.id ?? "";

/** Owner, mode and times of a published backup's files. */
const filesOf = async ({ backup }: Point): Promise<string> => {
	const format = "%p %s %u %g %m %T@ %C@\n";
	return (await run(["find", backup.path, "-type", "f", "-printf", format])).stdout;
};

test.serial(
	"backup › of a VM that is off leaves it able to start, and the chain goes on",
	async (t) => {
		points.push(await takePoint(knib, guest));
		t.deepEqual(await overlays(guest), [1, 1]);
		await guest.start();
		await guest.exec("echo one > /mnt/data/gen; sync");
		const [full] = points;
		if (full === undefined) throw new Error("no full");
		const before = await filesOf(full);
		points.push(await takePoint(knib, guest));
		t.is(points[1]?.backup.kind, "incremental", points[1]?.backup.reason);
		t.is(await filesOf(full), before);
		for (const point of points) await assertPoint(t, point);
		await guest.shutdown();
	},
);

test.serial("backup › of disks that an ACL opens to qemu gives the overlays the ACL", async (t) => {
	await knib.ok("chain", "finish", "static");
	for (const { path } of await guest.disks()) {
		await chown(path, 0, 0);
		await chmod(path, 0o600);
		await run(["setfacl", "-m", "u:libvirt-qemu:rw", path]);
	}
	points.push(await takePoint(knib, guest));
	t.deepEqual(await overlays(guest), [1, 1]);
	for (const { path } of await guest.disks()) t.is((await stat(path)).uid, 0);
	await guest.start();
	t.is(await generation(), "one");
	await guest.exec("echo two > /mnt/data/gen; sync");
});

test.serial(
	"restore vm › gives the new disks the ACL of the old ones, and so does its undo",
	async (t) => {
		await knib.ok("restore", "vm", idOf(2), "--shutdown", "--start", "--json");
		await guest.waitReady();
		t.is(await generation(), "one");
		await guest.shutdown();
		await knib.ok("restore", "undo", "static", "--json");
		await guest.start();
		t.is(await generation(), "two");
	},
);

test.serial(
	"restore new › is refused where qemu cannot enter, and starts where it can",
	async (t) => {
		const closed = join(lab.dir, "closed");
		await mkdir(closed, { mode: 0o700 });
		const args = ["restore", "new", idOf(1), "--as", "static2"];
		const refused = await knib.cli(...args, "--storage", closed);
		t.is(refused.code, 6, refused.stderr);
		t.regex(refused.stderr, /qemu's user \(uid \d+, gid \d+\) cannot enter it/);
		await knib.ok(...args, "--start", "--json");
		const restored = guestOf(lab, "static2", guest.diskDir);
		await restored.waitReady();
		t.is((await restored.exec("cat /mnt/data/gen")).stdout, "one\n");
		await restored.remove();
	},
);
