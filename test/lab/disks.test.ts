// Disks of every kind that knib backs up, under libvirt's default configuration: raw, a template below, odd paths, managed save,
// skipped and refused ones. ACCEPTANCE B15, B16, B21, B23.
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { copyImage, defineGuest, type Guest } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { assertPoint, overlays, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

const ODD = `-a, "quoted" 'dir' & <ünï>`;

let lab: Lab;
let knib: Knib;
let guest: Guest;
let directory: string;

test.before(async () => {
	lab = await startLab({ flavour: "default" });
	knib = await startKnib(lab);
	directory = join(lab.dir, "guests", ODD);
	await mkdir(directory, { recursive: true });
	const template = join(directory, "template.qcow2");
	const root = join(directory, "root, first.qcow2");
	const raw = join(directory, "-raw");
	const shared = join(directory, "shared.raw");
	await copyImage(join(lab.images, "root.qcow2"), template);
	await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", template, root]);
	await run([
		"qemu-img",
		"convert",
		"-f",
		"qcow2",
		"-O",
		"raw",
		join(lab.images, "data.qcow2"),
		raw,
	]);
	await run(["qemu-img", "create", "-q", "-f", "raw", shared, "1M"]);
	guest = await defineGuest(lab, {
		name: "odd",
		diskDir: directory,
		disks: [
			{ target: "vda", path: root },
			{ target: "vdb", path: raw, format: "raw" },
			{ target: "vdc", path: shared, format: "raw", shareable: true },
			{ target: "sda", device: "cdrom", bus: "ide" },
		],
	});
	await guest.start();
	await knib.ok("settings", "set", "backup.chain.size", "3");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const times = async (path: string) => {
	const { uid, gid, mode, mtimeMs } = await stat(path);
	return { uid, gid, mode, mtimeMs };
};

test.serial(
	"disks › raw, on a template, with odd paths: a chain of three, over a restart of the VM",
	async (t) => {
		const template = await times(join(directory, "template.qcow2"));
		await guest.exec("guestbin fill /mnt/data/big 8 1; sync");
		const first = await takePoint(knib, guest);
		t.is(first.backup.kind, "full");
		t.deepEqual(first.backup.disks.map((disk) => disk.target).sort(), ["vda", "vdb"]);
		await guest.shutdown();
		await guest.start();
		await guest.exec("guestbin rand4k /mnt/data/big 64 1; echo 2 > /var/gen; sync");
		const second = await takePoint(knib, guest);
		t.is(second.backup.kind, "incremental", second.backup.reason);
		await guest.shutdown();
		const third = await takePoint(knib, guest);
		t.is(third.backup.kind, "incremental", third.backup.reason);
		t.deepEqual((await overlays(guest)).slice(0, 2), [0, 0]);
		for (const point of [first, second, third]) {
			const { references, ...rest } = point;
			const kept = new Map(
				[...references].filter(([target]) => target === "vda" || target === "vdb"),
			);
			await assertPoint(t, { ...rest, references: kept });
		}
		await guest.start();
		t.is((await guest.exec("cat /var/gen")).stdout, "2\n");
		t.is((await times(join(directory, "template.qcow2"))).mtimeMs, template.mtimeMs);
	},
);

test.serial("disks › skipped ones are listed, and the command exits 3", async (t) => {
	const result = await knib.cli("backup", "create", "odd", "--json");
	t.is(result.code, 3, result.stderr);
	const last: unknown = JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "");
	const skipped = z
		.looseObject({
			result: z.looseObject({
				skipped: z.array(z.looseObject({ target: z.string(), reason: z.string() })),
			}),
		})
		.parse(last).result.skipped;
	t.deepEqual(skipped.map((disk) => disk.target).sort(), ["sda", "vdc"]);
});

test.serial(
	"base › written, or copied over with its times kept, while the VM is off makes a full",
	async (t) => {
		const raw = join(directory, "-raw");
		await takeBackup(knib, "odd");
		await guest.shutdown();
		await run(["qemu-io", "-f", "raw", "-c", "write -P 7 200M 64k", raw]);
		const written = await takePoint(knib, guest);
		t.is(written.backup.kind, "full", written.backup.reason);
		t.regex(written.backup.reason, /vdb stands on .* was written by something else/);
		const copy = join(directory, "copy");
		await run(["cp", "-p", "--sparse=never", raw, copy]);
		await run(["cp", "-p", "--no-preserve=ownership", copy, raw]);
		const copied = await takePoint(knib, guest);
		t.is(copied.backup.kind, "full", copied.backup.reason);
		await guest.start();
	},
);

test.serial(
	"managed save › is only read, its state resumes, and later backups are right",
	async (t) => {
		await knib.ok("chain", "finish", "odd");
		await guest.exec("guestbin fill /mnt/data/saved 4 9; sync");
		t.is((await takeBackup(knib, "odd")).kind, "full");
		await guest.startWriter("/mnt/data/seq");
		await lab.virsh("managedsave", "odd");
		const saved = await takePoint(knib, guest);
		t.is(saved.backup.kind, "isolated");
		await lab.virsh("start", "odd");
		await guest.waitReady();
		t.true((await guest.checkWriter("/mnt/data/seq")) > 0);
		const next = await takePoint(knib, guest);
		t.is(next.backup.kind, "incremental", next.backup.reason);
		for (const point of [saved, next]) {
			const kept = new Map([...point.references].filter(([target]) => target !== "vdc"));
			await assertPoint(t, { ...point, references: kept });
		}
	},
);
