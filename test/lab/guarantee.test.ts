// What the documents promise, on a real VM: a restore without knib by README.txt, an increment that holds what changed, a merge that
// fails and is made up for, and a repository that runs full at any step. ACCEPTANCE B18, B19.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { defineGuest, type Guest, guestOf } from "./support/guest.ts";
import { type Knib, startKnib, type TakenBackup, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { allocatedBytes } from "./support/oracle.ts";
import { assertPoint, overlays, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";
import { mountTmpfs } from "./support/storage.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	// From 512 MiB on mke2fs makes blocks of 4 KiB; in smaller ones a 4 KiB write lies across sub-clusters.
	guest = await defineGuest(lab, { name: "web02", dataMib: 640 });
	await guest.start();
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

test.serial("README.txt › followed literally gives a VM that boots, without knib", async (t) => {
	await guest.exec("echo first > /mnt/data/gen; sync");
	await takeBackup(knib, "web02");
	await guest.exec("echo second > /mnt/data/gen; guestbin fill /mnt/data/big 4 2; sync");
	const taken = await takeBackup(knib, "web02");
	t.is(taken.kind, "incremental");
	const sum = await guest.sha256("/mnt/data/big");
	await knib.stop();
	const text = await readFile(join(knib.repository, "README.txt"), "utf8");
	const commands = text
		.split("\n")
		.filter((line) => line.startsWith("    "))
		.map((line) => line.slice(4));
	const values: Readonly<Record<string, string>> = {
		REPO: knib.repository,
		BACKUP: taken.path.slice(knib.repository.length + 1),
		DEST: guest.diskDir,
		NAME: "byhand",
	};
	const script = commands.map((line) => {
		const name = /^(REPO|BACKUP|DEST|NAME)=/.exec(line)?.[1];
		return name === undefined ? line : `${name}='${values[name] ?? ""}'`;
	});
	await run(["bash", "-e", "-c", script.join("\n")], {
		cwd: knib.repository,
		env: { LIBVIRT_DEFAULT_URI: lab.uri },
	});
	const restored = guestOf(lab, "byhand", guest.diskDir);
	if ((await restored.state()) !== "running") await lab.virsh("start", "byhand");
	await restored.waitReady();
	t.is((await restored.exec("cat /mnt/data/gen")).stdout, "second\n");
	t.is(await restored.sha256("/mnt/data/big"), sum);
	t.is(await guest.state(), "running");
	await restored.remove();
	await knib.start();
});

/** Bytes that the guest's kernel has written to its data disk since it booted: its file system's own writes too, such as the inode tables that it zeroes in the background. */
const writtenBytes = async (): Promise<number> => {
	const { stdout } = await guest.exec("cat /sys/block/vdb/stat");
	return Number(stdout.trim().split(/\s+/)[6] ?? Number.NaN) * 512;
};

/** A backup of a guest that stands still: what its kernel writes by itself before or after it would be counted on one side only. */
const takeStanding = async (): Promise<TakenBackup> => {
	await lab.virsh("suspend", "web02");
	try {
		return await takeBackup(knib, "web02");
	} finally {
		await lab.virsh("resume", "web02");
	}
};

test.serial(
	"increment › of random 4 KiB writes holds at most twice what the guest dirtied",
	async (t) => {
		await guest.exec("guestbin fill /mnt/data/rand 64 3; sync");
		await takeStanding();
		const before = await writtenBytes();
		await guest.exec("guestbin rand4k /mnt/data/rand 1000 7; sync");
		const taken = await takeStanding();
		const dirtied = (await writtenBytes()) - before;
		const held = await allocatedBytes(join(taken.path, "vdb.qcow2"));
		t.log(`${dirtied} bytes dirtied, ${held} in the layer: ${(held / dirtied).toFixed(2)} x`);
		t.true(held <= 2 * dirtied, `${held} bytes for ${dirtied}`);
		t.true(held >= dirtied / 2);
	},
);

test.serial("increment › of whole clusters holds what changed, not more", async (t) => {
	await takeStanding();
	await guest.exec("guestbin mod /mnt/data/rand 64 32 5; sync");
	const taken = await takeBackup(knib, "web02");
	const dirtied = 32 << 20;
	const held = await allocatedBytes(join(taken.path, "vdb.qcow2"));
	t.log(`${dirtied} bytes dirtied, ${held} in the layer: ${(held / dirtied).toFixed(2)} x`);
	t.true(held <= 1.2 * dirtied, `${held} bytes for ${dirtied}`);
});

test.serial(
	"merge › that fails leaves an extra layer that is shown, and the next backups are right and make up for it",
	async (t) => {
		await knib.ok("chain", "finish", "web02");
		await knib.ok("settings", "set", "backup.chain.size", "0");
		const points = [await takePoint(knib, guest)];
		const [disk] = await guest.disks();
		const stranger = join(guest.diskDir, "clone.qcow2");
		const base = (disk?.path ?? "").replace(/\.knib-.*$/, "");
		await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, stranger]);
		for (const generation of [1, 2]) {
			await guest.exec(
				`echo ${generation} > /var/gen; guestbin fill /mnt/data/big 4 ${generation}; sync`,
			);
			points.push(await takePoint(knib, guest));
		}
		t.deepEqual(await overlays(guest), [3, 1]);
		const shown = z
			.looseObject({ notes: z.array(z.string()) })
			.parse(await knib.ok("vm", "show", "web02"));
		t.regex(shown.notes.join("\n"), /extra layer present on vda/);
		await run(["rm", stranger]);
		await guest.exec("echo 3 > /var/gen; sync");
		points.push(await takePoint(knib, guest));
		t.deepEqual(await overlays(guest), [1, 1]);
		t.deepEqual(
			points.map((point) => point.backup.kind),
			["full", "incremental", "incremental", "incremental"],
		);
		for (const point of points) await assertPoint(t, point);
	},
);

test.serial(
	"repository › full at any step leaves the VM as it was and nothing of the attempt",
	async (t) => {
		await knib.ok("chain", "finish", "web02");
		for (const mebibytes of [1, 8, 30, 60]) {
			const small = await mountTmpfs(lab, `full${mebibytes}`, mebibytes);
			const name = `full${mebibytes}`;
			const added = await knib.cli("repository", "add", name, "--path", small.path, "--json");
			if (added.code === 0) {
				await knib.ok("offering", "create", name, "--repository", name);
				await knib.ok("vm", "assign", "web02", name);
				const result = await knib.cli("backup", "create", "web02", "--json");
				t.true(
					result.code === 1 || result.code === 6,
					`${mebibytes} MiB: ${result.code} ${result.stdout.slice(-500)}`,
				);
				t.deepEqual(await overlays(guest), [0, 0]);
				t.deepEqual(await readdir(join(small.path, "incoming")), []);
				await knib.ok("vm", "unassign", "web02");
			}
			t.is(await guest.state(), "running");
			await small.unmount();
		}
		const point = await takePoint(knib, guest);
		await assertPoint(t, point);
	},
);
