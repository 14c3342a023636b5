// knibd is killed with SIGKILL at every line of the journal of a restore in place. After each the VM stands on all its old disks or on
// all the restored ones, by its definition alone; and the way back from the restored ones works (I1, I2).
import { readdir, rename } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { killAtLine, litter, startAndSettle } from "./support/crash.ts";
import { defineGuest, type Guest } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { compare } from "./support/oracle.ts";
import { overlays } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;

const fill = async (pattern: number): Promise<void> => {
	for (const disk of await guest.disks()) {
		await run(["qemu-io", "-f", disk.format, "-c", `write -P ${pattern} 1M 2M`, disk.path]);
	}
};

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	const disks = ["vda", "vdb"].map((target) => ({ target, path: `${lab.dir}/${target}.qcow2` }));
	for (const { path } of disks) await run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"]);
	guest = await defineGuest(lab, { name: "rcrash", disks, agent: false });
	await fill(1);
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const contents = async (t: ExecutionContext, references: readonly string[]): Promise<boolean> => {
	const same = [];
	for (const [index, disk] of (await guest.disks()).entries()) {
		same.push((await compare(disk.path, disk.format, references[index] ?? "")).same);
	}
	t.is(new Set(same).size, 1, "all disks are of one time");
	return same.every((one) => one);
};

const leftovers = async (): Promise<readonly string[]> =>
	(await readdir(lab.dir)).filter((name) => /knib-(old|new|undone|restore)/.test(name));

const snapshotOf = async (name: string): Promise<readonly string[]> => {
	const made: string[] = [];
	for (const disk of await guest.disks()) {
		const path = `${lab.dir}/${name}-${disk.target}.raw`;
		await run(["qemu-img", "convert", "-U", "-f", disk.format, "-O", "raw", disk.path, path]);
		made.push(path);
	}
	return made;
};

test.serial(
	"restore vm › killed at every journal line ends on all old disks or on all new ones",
	async (t) => {
		t.timeout(1_800_000);
		const backup = await takeBackup(knib, "rcrash");
		const restored = await snapshotOf("restored");
		await fill(2);
		const old = await snapshotOf("old");
		let line = 1;
		for (; line < 60; line++) {
			const killed = await killAtLine(knib, line, "restore", "vm", backup.id, "--json");
			await startAndSettle(knib);
			const isNew = await contents(t, restored);
			t.is(await contents(t, old), !isNew, `line ${line}`);
			if (isNew) {
				await knib.ok("restore", "undo", "rcrash", "--json");
				t.true(await contents(t, old), `undone after line ${line}`);
				await knib.ok("restore", "confirm", "rcrash", "--json");
			}
			t.deepEqual(await leftovers(), [], `line ${line}`);
			if (!killed) break;
		}
		t.log(`${line - 1} lines`);
		t.true(line > 12);
	},
);

test.serial(
	"restore vm › with the repository gone half-way leaves the old disks, or ends with the restored ones",
	async (t) => {
		const { id } = await takeBackup(knib, "rcrash");
		const restored = await snapshotOf("wanted");
		await fill(3);
		const old = await snapshotOf("kept");
		// The copy has begun; the switch has begun.
		for (const [line, expected] of [
			[8, old],
			[12, restored],
		] as const) {
			t.true(await killAtLine(knib, line, "restore", "vm", id, "--json"), `line ${line}`);
			await rename(knib.repository, `${knib.repository}.away`);
			await startAndSettle(knib);
			t.true(await contents(t, expected), `line ${line}`);
			await rename(`${knib.repository}.away`, knib.repository);
		}
		await knib.ok("restore", "undo", "rcrash", "--json");
		t.true(await contents(t, old));
		await knib.ok("restore", "confirm", "rcrash", "--json");
	},
);

test.serial(
	"restore undo, confirm › killed at every journal line leave all old disks or all restored ones, the overlays of a backup since included, and then nothing beside them",
	async (t) => {
		t.timeout(1_800_000);
		const { id } = await takeBackup(knib, "rcrash");
		const restored = await snapshotOf("there");
		await fill(4);
		const old = await snapshotOf("before");
		let [line, going] = [1, true];
		for (; going && line < 40; line++) {
			await knib.ok("restore", "vm", id);
			// From now on the restored disks carry overlays too.
			await takeBackup(knib, "rcrash");
			const undoKilled = await killAtLine(knib, line, "restore", "undo", "rcrash");
			await startAndSettle(knib);
			const isOld = await contents(t, old);
			t.is(await contents(t, restored), !isOld, `undo, line ${line}`);
			if (!isOld) await knib.ok("restore", "undo", "rcrash");
			t.true(await contents(t, old), `undone after line ${line}`);
			const confirmKilled = await killAtLine(knib, line, "restore", "confirm", "rcrash");
			await startAndSettle(knib);
			t.true(await contents(t, old), `confirm, line ${line}`);
			const again = await knib.cli("restore", "confirm", "rcrash");
			t.true(again.code === 0 || again.code === 4, again.stderr);
			t.deepEqual(await leftovers(), [], `confirm, line ${line}`);
			t.deepEqual(await litter(knib, guest), [], `confirm, line ${line}`);
			going = undoKilled || confirmKilled;
		}
		t.log(`${line - 1} lines`);
		t.true(line > 3);
		await takeBackup(knib, "rcrash");
		await knib.ok("chain", "finish", "rcrash");
		t.deepEqual(await overlays(guest), [0, 0]);
	},
);
