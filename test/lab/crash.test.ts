// knibd is killed with SIGKILL at every line of its journal, in a full and in an increment. After each: the guest ran on and lost
// nothing, nothing is left of the attempt or the backup stands whole, and the next backup is right (I1, I2, I3).
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { killAtLine, startAndSettle } from "./support/crash.ts";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest, type Writer } from "./support/guest.ts";
import { backupSchema, type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { assertPoint, overlays, takePoint } from "./support/points.ts";

/** Files of the writer's records, on both disks. Each life has its own: a kill of qemu may tear the last record, and files that grew from line to line would fill the disks in the end. */
const filesOf = (life: number) => [`/mnt/data/seq${life}`, `/var/seq${life}`] as const;

const RATE = "backup.copy.rate.limit";

let lab: Lab;
let knib: Knib;
let guest: Guest;
let writer: Writer;
let life = 1;

/** Records so far, all whole and in step; the writer stands still while they are counted. */
const countRecords = async (): Promise<number> => {
	await writer.stop();
	const count = await guest.checkWriter(...filesOf(life));
	writer = await guest.startWriter(...filesOf(life));
	return count;
};

/** Begins new files of records, after a last look at the old ones, which go. */
const newLife = async (): Promise<void> => {
	await countRecords();
	await writer.stop();
	await guest.exec(`rm ${filesOf(life).join(" ")}`);
	life += 1;
	writer = await guest.startWriter(...filesOf(life));
};

const reviveGuest = async (): Promise<void> => {
	await guest.start();
	life += 1;
	writer = await guest.startWriter(...filesOf(life));
};

/** Makes copies take some seconds, so that what is to happen in the middle of one does. */
const slowly = (rate: string) => knib.ok("settings", "set", RATE, rate);

const untilCopying = () =>
	waitFor(async () => (await readdir(join(knib.repository, "incoming"))).length > 0, {
		deadlineMs: 120_000,
		what: "the copy to begin",
	});

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "crash" });
	await guest.start();
	writer = await guest.startWriter(...filesOf(life));
	await knib.ok("settings", "set", "backup.chain.size", "0");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const published = async (): Promise<number> =>
	z.array(z.unknown()).parse(await knib.ok("backup", "list", "--vm", "crash")).length;

const assertWhole = async (t: ExecutionContext, line: number): Promise<void> => {
	t.is(await guest.state(), "running", `line ${line}`);
	t.true((await countRecords()) > 0);
	const layers = await overlays(guest);
	t.true(
		layers.every((count) => count <= 1),
		`line ${line}: ${layers.join(",")} overlays`,
	);
	t.deepEqual(await readdir(join(knib.repository, "incoming")), [], `line ${line}`);
	const [disk] = await guest.disks();
	const names = (await readdir(dirname(disk?.path ?? ""))).filter((name) =>
		/\.knib-[^.]*\.qcow2$/.test(name),
	);
	t.is(
		names.length,
		layers.reduce((a, b) => a + b, 0),
		`line ${line}: ${names.join(", ")}`,
	);
};

const everyLine = async (
	t: ExecutionContext,
	prepare: (line: number) => Promise<void>,
): Promise<number> => {
	for (let line = 1; ; line++) {
		await prepare(line);
		const killed = await killAtLine(knib, line, "backup", "create", "crash", "--json");
		const before = await countRecords();
		await startAndSettle(knib);
		if (!killed) return line;
		await assertWhole(t, line);
		const point = await takePoint(knib, guest);
		t.is(point.backup.status, "BackedUp", `line ${line}`);
		await assertPoint(t, point);
		t.true((await countRecords()) >= before);
		await newLife();
	}
};

test.serial("crash › at every journal line of a full", async (t) => {
	t.timeout(1_800_000);
	const lines = await everyLine(t, async () => {
		await knib.ok("chain", "finish", "crash");
	});
	t.log(`${lines - 1} lines`);
	t.true(lines > 15);
});

test.serial("crash › at every journal line of an increment", async (t) => {
	t.timeout(1_800_000);
	const lines = await everyLine(t, async (line) => {
		// The line before has left a backup to go on from; a new chain now and then, since in a long one all takes longer.
		if (line % 6 === 1) {
			await knib.ok("chain", "finish", "crash");
			t.is((await takeBackup(knib, "crash")).status, "BackedUp");
		}
		await guest.exec("guestbin rand4k /mnt/data/rand 50 1; sync");
	});
	t.log(`${lines - 1} lines`);
	t.true(lines > 18);
});

test.serial("crash › of qemu during the copy ends the backup and nothing else", async (t) => {
	const before = await published();
	await guest.exec("guestbin fill /mnt/data/big 64 7; sync");
	await slowly("16MB/s");
	const backup = knib.begin("backup", "create", "crash", "--isolated", "--json");
	await untilCopying();
	await guest.kill();
	const result = await backup;
	t.log(`exit ${result.exitCode}`);
	await knib.settled();
	await knib.ok("settings", "unset", RATE);
	await reviveGuest();
	const point = await takePoint(knib, guest);
	await assertPoint(t, point);
	t.true((await published()) > before);
	t.true((await overlays(guest)).every((count) => count <= 1));
});

test.serial(
	"crash › of libvirtd during the copy leaves a guest that runs and backups that are right",
	async (t) => {
		await slowly("16MB/s");
		const backup = knib.begin("backup", "create", "crash", "--isolated", "--json");
		await untilCopying();
		await lab.killDaemon();
		await lab.startDaemon();
		await backup;
		await knib.settled();
		await knib.ok("settings", "unset", RATE);
		t.is(await guest.state(), "running");
		t.true((await countRecords()) > 0);
		const point = await takePoint(knib, guest);
		await assertPoint(t, point);
		t.true((await overlays(guest)).every((count) => count <= 1));
		t.true(backupSchema.safeParse(point.backup).success);
	},
);
