// One disk of a backup as a new disk of a VM: running, off, quick. ACCEPTANCE R5.
import test from "ava";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest } from "./support/guest.ts";
import { type Knib, startKnib } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { compare, imageChain } from "./support/oracle.ts";
import { type Point, takePoint } from "./support/points.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
let point: Point;

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "disks" });
	await guest.start();
	await guest.exec("echo then > /mnt/data/gen; sync");
	await knib.ok("offering", "create", "fast", "--allow-quick-restore");
	await knib.ok("vm", "assign", "disks", "fast");
	point = await takePoint(knib, guest);
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const resultSchema = z.looseObject({
	disks: z.array(z.looseObject({ target: z.string(), path: z.string() })),
});

const restore = async (...flags: readonly string[]) => {
	const args = ["restore", "disk", point.backup.id, "vdb", "--to", "disks", ...flags];
	const [disk] = resultSchema.parse(await knib.ok(...args)).disks;
	if (disk === undefined) throw new Error("no disk in the result");
	return disk;
};

/** The disk is attached before the guest's kernel has found it, so that its node is waited for. */
const readIn = async (device: string): Promise<string> => {
	await guest.found(device);
	const { stdout } = await guest.exec(
		`mkdir -p /tmp/m && mount -o ro /dev/${device} /tmp/m && cat /tmp/m/gen; umount /tmp/m`,
	);
	return stdout;
};

test.serial("restore disk › attaches a disk to the running guest, which reads it", async (t) => {
	const disk = await restore();
	t.is(disk.target, "vdc");
	t.is(await readIn("vdc"), "then\n");
	t.regex(await lab.virsh("dumpxml", "--inactive", "disks"), /dev='vdc'/);
});

test.serial(
	"restore disk --quick › attaches at once and is pulled in while the guest runs",
	async (t) => {
		const disk = await restore("--quick", "--target", "vde");
		t.is(await readIn("vdd"), "then\n");
		await waitFor(async () => (await imageChain(disk.path, "qcow2")).length === 1, {
			deadlineMs: 240_000,
			what: "the disk to be pulled in",
		});
		// Its last steps too: while a VM is consolidated nothing else is done to it.
		await knib.settled();
		t.is(await readIn("vdd"), "then\n");
	},
);

test.serial(
	"restore disk › refuses a name that is taken, and attaches to a VM that is off",
	async (t) => {
		t.is(
			(
				await knib.cli(
					"restore",
					"disk",
					point.backup.id,
					"vdb",
					"--to",
					"disks",
					"--target",
					"vda",
				)
			).code,
			5,
		);
		t.is((await knib.cli("restore", "disk", point.backup.id, "vdz", "--to", "disks")).code, 4);
		await guest.shutdown();
		const disk = await restore();
		const { same, text } = await compare(disk.path, "qcow2", point.references.get("vdb") ?? "");
		t.true(same, text);
		await guest.start();
		t.is((await guest.disks()).length, 5);
	},
);
