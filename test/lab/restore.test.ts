// Restores to a new VM on real libvirt: beside the running source, without it, after crashes. ACCEPTANCE R2, R10, R11 (UEFI), H6;
// SAFETY F7, F10, F11, F20.
import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { freePort } from "../support/free-port.ts";
import { startAndSettle } from "./support/crash.ts";
import { defineGuest, type Guest, guestOf } from "./support/guest.ts";
import { type Knib, startKnib } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { compare } from "./support/oracle.ts";
import { type Point, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
let port: number;
const points: Point[] = [];

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	const shared = join(lab.dir, "shared.raw");
	await run(["qemu-img", "create", "-q", "-f", "raw", shared, "4M"]);
	port = await freePort();
	const fixedPort = `<graphics type='vnc' port='${port}' autoport='no' listen='127.0.0.1' passwd='s3cr3t'/>`;
	const sharedDisk = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${shared}'/><target dev='vdc' bus='virtio'/><shareable/></disk>`;
	guest = await defineGuest(lab, {
		name: "efi",
		uefi: true,
		extraDevices: fixedPort + sharedDisk,
		extraXml: "<genid>8f2a9a51-51a5-4c9b-9a77-0d8a6e2a4b11</genid>",
	});
	await guest.start();
	for (const generation of [1, 2]) {
		await guest.exec(`echo gen${generation} > /mnt/data/gen; sync`);
		points.push(await takePoint(knib, guest));
	}
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const restoredSchema = z.looseObject({
	vm: z.looseObject({ uuid: z.string(), name: z.string() }),
	disks: z.array(z.looseObject({ target: z.string(), path: z.string() })),
	startedAt: z.string().nullable(),
	agentMs: z.number().nullable(),
});

const pointAt = (index: number): Point => {
	const point = points.at(index);
	if (point === undefined) throw new Error("no such point");
	return point;
};

/** Owner, mode and times of everything in a repository; the directory of holds is made by the first one. */
const repositoryFacts = async (): Promise<string> =>
	(
		await run([
			"find",
			join(knib.repository, "vms"),
			"-type",
			"f",
			"-printf",
			"%p %s %u %g %m %T@ %C@\n",
		])
	).stdout;

/** Removes the VM of the crash test with its files. */
const discard = async (storage: string): Promise<void> => {
	await lab.virsh("undefine", "--keep-nvram", "crashed");
	for (const file of await readdir(storage)) await rm(join(storage, file));
};

test.serial(
	"restore new › boots beside its source, by its own firmware variables, with nothing of the host in common",
	async (t) => {
		const before = await repositoryFacts();
		const result = restoredSchema.parse(
			await knib.ok("restore", "new", pointAt(-1).backup.id, "--as", "beside", "--start"),
		);
		t.is(await guest.state(), "running");
		t.true((result.agentMs ?? 0) > 0);
		t.truthy(result.startedAt);
		const beside = guestOf(lab, "beside", guest.diskDir);
		t.is(
			(await beside.exec("cat /mnt/data/gen; ls -d /sys/firmware/efi")).stdout,
			"gen2\n/sys/firmware/efi\n",
		);
		t.is(await repositoryFacts(), before);
		const xml = await lab.virsh("dumpxml", "--inactive", "--security-info", "beside");
		const source = await lab.virsh("dumpxml", "--inactive", "--security-info", "efi");
		t.regex(xml, /passwd='s3cr3t'/);
		for (const shared of [
			`port='${port}'`,
			"shared.raw",
			guest.serialLog,
			"nvram.fd",
			"8f2a9a51-51a5",
		]) {
			t.true(source.includes(shared), shared);
			t.false(xml.includes(shared), shared);
		}
		await beside.remove();
	},
);

test.serial(
	"restore new › refuses a taken name, a taken file and a directory that is not there",
	async (t) => {
		const id = pointAt(0).backup.id;
		const codes = [];
		for (const flags of [
			["--as", "efi"],
			["--as", "beside"],
			["--as", "x", "--storage", join(lab.dir, "missing")],
		]) {
			codes.push((await knib.cli("restore", "new", id, ...flags)).code);
		}
		t.deepEqual(codes, [5, 5, 6]);
		t.is((await knib.cli("restore", "new", "ffffffff", "--as", "x")).code, 4);
	},
);

test.serial(
	"restore new › leaves nothing of a restore that knibd's death cut short, at any journal line",
	async (t) => {
		t.timeout(1_800_000);
		const storage = join(lab.dir, "crashed");
		await run(["mkdir", storage]);
		const id = pointAt(0).backup.id;
		let line = 1;
		let whole = 0;
		for (; ; line++) {
			await knib.stop();
			await knib.start({ KNIB_CRASH_AFTER_JOURNAL_LINES: String(line) });
			const { exitCode } = await knib.begin(
				"restore",
				"new",
				id,
				"--as",
				"crashed",
				"--storage",
				storage,
			);
			// 3: the VM lacks the source's shareable disk.
			if (exitCode === 0 || exitCode === 3) break;
			await knib.died();
			await startAndSettle(knib);
			const files = (await readdir(storage)).length;
			const defined = (await lab.virsh("list", "--all", "--name")).includes("crashed");
			// With its last line written the restore was complete: it is ended forward.
			t.is(files, defined ? 3 : 0, `line ${line}`);
			if (defined) await discard(storage);
			whole += defined ? 1 : 0;
			const held = await run(["find", knib.repository, "-path", "*/holds/*", "-type", "f"]);
			t.is(held.stdout, "", `line ${line}`);
		}
		t.log(`${line - 1} lines`);
		t.true(line > 10);
		t.true(whole > 0);
		await discard(storage);
	},
);

test.serial("restore new › needs neither the source VM nor its host", async (t) => {
	await guest.remove();
	await rm(guest.diskDir, { recursive: true });
	const repository = knib.repository;
	await knib.stop();
	knib = await startKnib(lab, "elsewhere");
	await knib.ok("repository", "add", "rescued", "--path", repository);
	const storage = join(lab.dir, "rescued");
	await run(["mkdir", storage]);
	const point = pointAt(0);
	const id = point.backup.id.slice(-8);
	const result = restoredSchema.parse(
		await knib.ok("restore", "new", id, "--as", "rescued", "--storage", storage),
	);
	for (const { target, path } of result.disks) {
		const { same, text } = await compare(path, "qcow2", point.references.get(target) ?? "");
		t.true(same, text);
	}
	await t.notThrowsAsync(access(join(storage, "rescued-vda.qcow2")));
	await lab.virsh("start", "rescued");
	const rescued = guestOf(lab, "rescued", storage);
	await rescued.waitReady();
	t.is((await rescued.exec("cat /mnt/data/gen")).stdout, "gen1\n");
	await rescued.remove();
});
