// knibd is killed with SIGKILL at every line of its journal, in a full and in an increment. After each: the guest ran on and lost
// nothing, nothing is left of the attempt or the backup stands whole, and the next backup is right (I1, I2, I3).
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest, type Writer } from "./support/guest.ts";
import { backupSchema, type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { assertPoint, overlays, takePoint } from "./support/points.ts";

/** Files of the writer's records, on both disks; a kill of qemu may tear the last one, so that each life of the guest has its own. */
const filesOf = (life: number) => [`/mnt/data/seq${life}`, `/var/seq${life}`] as const;

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

const reviveGuest = async (): Promise<void> => {
	await guest.start();
	life += 1;
	writer = await guest.startWriter(...filesOf(life));
};

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

const jobs = z.array(z.looseObject({ id: z.string(), state: z.string() }));

const settled = () =>
	waitFor(
		async () =>
			jobs
				.parse(await knib.ok("job", "list"))
				.every((job) => job.state !== "executing" && job.state !== "waiting"),
		{ deadlineMs: 120_000, what: "the interrupted job to end" },
	);

const published = async (): Promise<number> =>
	z.array(z.unknown()).parse(await knib.ok("backup", "list", "--vm", "crash")).length;

/** Kills knibd after the n-th line that it writes to its journal; false when the backup had ended before. */
const killAtLine = async (line: number): Promise<boolean> => {
	await knib.stop();
	await knib.start({ KNIB_CRASH_AFTER_JOURNAL_LINES: String(line) });
	const backup = knib.begin("backup", "create", "crash", "--json");
	const result = await backup;
	if (result.exitCode === 0) {
		// It lives on with its order to crash: the next backup would meet it.
		await knib.stop();
		await knib.start();
		return false;
	}
	await knib.died(60_000);
	return true;
};

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

const everyLine = async (t: ExecutionContext, prepare: () => Promise<void>): Promise<number> => {
	for (let line = 1; ; line++) {
		await prepare();
		const killed = await killAtLine(line);
		if (!killed) return line;
		const before = await countRecords();
		await knib.start();
		await settled();
		await assertWhole(t, line);
		const point = await takePoint(knib, guest);
		await assertPoint(t, point);
		t.true((await countRecords()) >= before);
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
	const lines = await everyLine(t, async () => {
		const base = await takeBackup(knib, "crash");
		t.is(base.status, "BackedUp");
		await guest.exec("guestbin rand4k /mnt/data/rand 50 1; sync");
	});
	t.log(`${lines - 1} lines`);
	t.true(lines > 18);
});

test.serial("crash › of qemu during the copy ends the backup and nothing else", async (t) => {
	const before = await published();
	await guest.exec("guestbin fill /mnt/data/big 64 7; sync");
	const backup = knib.begin("backup", "create", "crash", "--isolated", "--json");
	await waitFor(async () => (await readdir(join(knib.repository, "incoming"))).length > 0, {
		deadlineMs: 30_000,
		what: "the copy to begin",
	});
	await guest.kill();
	const result = await backup;
	t.log(`exit ${result.exitCode}`);
	await settled();
	await reviveGuest();
	const point = await takePoint(knib, guest);
	await assertPoint(t, point);
	t.true((await published()) > before);
	t.true((await overlays(guest)).every((count) => count <= 1));
});

test.serial(
	"crash › of libvirtd during the copy leaves a guest that runs and backups that are right",
	async (t) => {
		const backup = knib.begin("backup", "create", "crash", "--isolated", "--json");
		await waitFor(async () => (await readdir(join(knib.repository, "incoming"))).length > 0, {
			deadlineMs: 30_000,
			what: "the copy to begin",
		});
		await lab.killDaemon();
		await lab.startDaemon();
		await backup;
		await settled();
		t.is(await guest.state(), "running");
		t.true((await countRecords()) > 0);
		const point = await takePoint(knib, guest);
		await assertPoint(t, point);
		t.true((await overlays(guest)).every((count) => count <= 1));
		t.true(backupSchema.safeParse(point.backup).success);
	},
);
