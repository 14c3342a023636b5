// Quick restores on real libvirt: the guest answers at once over the repository's layers, and these are pulled in while it runs, whatever
// comes between. ACCEPTANCE R3, R4, R6, R9, R14; SAFETY F7, F11, F18.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest, guestOf } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { imageChain } from "./support/oracle.ts";
import { type FickleStorage, mountFickle } from "./support/outage.ts";
import { assertPoint, type Point, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
let far: FickleStorage;
let distant: string;
const points: Point[] = [];

const RATE = "backup.restore.consolidate.rate.limit";

test.before(async () => {
	lab = await startLab({ flavour: "default" });
	// The user that qemu runs as must be able to enter it.
	knib = await startKnib(lab, "knib", { repository: join(lab.dir, "repository") });
	guest = await defineGuest(lab, { name: "quick" });
	await guest.start();
	await guest.exec(
		"head -c 24000000 /dev/urandom > /mnt/data/noise; echo gen1 > /mnt/data/gen; sync",
	);
	points.push(await takePoint(knib, guest));
	await knib.ok("offering", "create", "fast", "--allow-quick-restore");
	await knib.ok("vm", "assign", "quick", "fast");
	await guest.exec("echo gen2 > /mnt/data/gen; sync");
	points.push(await takePoint(knib, guest));
});

test.after.always(async () => {
	await far?.end();
	await knib?.stop();
	await lab?.stop();
});

const idOf = (n: number): string => points[n]?.backup.id ?? "";

/** Owner, mode, size and times of every published file. */
const repositoryFacts = async (): Promise<string> => {
	const find = ["find", join(knib.repository, "vms"), "-type", "f", "-not", "-path", "*/holds/*"];
	return (await run([...find, "-printf", "%p %s %u %g %m %T@ %C@\n"])).stdout;
};

const holds = async (): Promise<string> =>
	(await run(["find", knib.repository, "-path", "*/holds/*", "-type", "f"])).stdout;

const jobsSchema = z.array(
	z.looseObject({ id: z.string(), state: z.string(), reason: z.string().nullable() }),
);
const consolidations = async () =>
	jobsSchema.parse(await knib.ok("job", "list", "--type", "Consolidate"));

const untilExecuting = () =>
	waitFor(async () => (await consolidations()).some((job) => job.state === "executing"), {
		deadlineMs: 60_000,
		what: "the consolidation to run",
	});

const untilConsolidated = () =>
	waitFor(async () => (await consolidations()).every((job) => job.state === "succeeded"), {
		deadlineMs: 240_000,
		what: "the consolidation to end",
	});

test.serial(
	"restore --quick › is refused unless the offering of the backup allows it",
	async (t) => {
		const before = await repositoryFacts();
		const { code, stderr } = await knib.cli("restore", "new", idOf(0), "--as", "no", "--quick");
		t.is(code, 6);
		t.regex(stderr, /does not allow quick restores/);
		t.is(await repositoryFacts(), before);
	},
);

test.serial(
	"restore new --quick › answers over the repository's layers, and is pulled in whatever comes between",
	async (t) => {
		await guest.shutdown();
		const plain = Date.now();
		await guest.start();
		const plainMs = Date.now() - plain;
		await guest.shutdown();
		await knib.ok("settings", "set", RATE, "1");
		const before = await repositoryFacts();
		const quick = Date.now();
		await knib.ok("restore", "new", idOf(1), "--as", "fast", "--quick");
		const quickMs = Date.now() - quick;
		t.log(`agent after ${quickMs} ms, plain start ${plainMs} ms`);
		const fast = guestOf(lab, "fast", guest.diskDir);
		t.is((await fast.exec("cat /mnt/data/gen")).stdout, "gen2\n");
		await fast.exec("echo later > /mnt/data/later; sync");
		await untilExecuting();
		t.regex(await holds(), /\.json/);
		t.is((await knib.cli("backup", "delete", idOf(1))).code, 5);
		await fast.shutdown();
		await knib.kill();
		await lab.virsh("start", "fast");
		await fast.waitReady();
		await knib.start();
		await untilExecuting();
		await lab.killDaemon();
		await lab.startDaemon();
		await knib.ok("settings", "unset", RATE);
		await knib.stop();
		await knib.start();
		await untilConsolidated();
		for (const disk of await fast.disks()) {
			t.is((await imageChain(disk.path, disk.format)).length, 1, disk.target);
		}
		t.is(await repositoryFacts(), before);
		t.is(await holds(), "");
		t.deepEqual(
			(await readdir(fast.diskDir)).filter((name) => name.includes("knib-quick")),
			[],
		);
		const xml = await lab.virsh("dumpxml", "--inactive", "fast");
		t.notRegex(xml, /error_policy|relabel|backingStore type/);
		const read = "cat /mnt/data/gen /mnt/data/later; sha256sum < /mnt/data/noise";
		const { stdout } = await fast.exec(read);
		t.regex(stdout, /^gen2\nlater\n[0-9a-f]{64}/);
		await fast.shutdown();
		await fast.start();
		t.is((await fast.exec(read)).stdout, stdout);
		await fast.remove();
		await assertPoint(t, points[1] as Point);
	},
);

test.serial("restore vm --quick › runs at once, and undo goes back without waiting", async (t) => {
	await guest.start();
	await guest.exec("echo now > /mnt/data/gen; sync");
	await guest.shutdown();
	await knib.ok("settings", "set", RATE, "1");
	await knib.ok("restore", "vm", idOf(1), "--quick");
	await guest.waitReady();
	t.is((await guest.exec("cat /mnt/data/gen")).stdout, "gen2\n");
	await guest.shutdown();
	await knib.ok("restore", "undo", "quick");
	t.is(await holds(), "");
	await guest.start();
	t.is((await guest.exec("cat /mnt/data/gen")).stdout, "now\n");
	await guest.shutdown();
	await knib.ok("restore", "confirm", "quick");
	t.deepEqual(
		(await readdir(guest.diskDir)).filter((name) => /knib-(quick|old|new|undone)/.test(name)),
		[],
	);
});

const OUTAGE_MS = 60_000;

test.serial(
	"restore new --quick › a repository that stands still, then fails, and comes back after a minute: the guest pauses and sees no error",
	async (t) => {
		far = await mountFickle(lab, "far", 700);
		distant = join(far.path, "repository");
		await mkdir(distant, { mode: 0o755 });
		await knib.ok("repository", "add", "far", "--path", distant);
		await knib.ok("offering", "create", "far", "--allow-quick-restore", "--repository", "far");
		await knib.ok("vm", "assign", "quick", "far");
		distant = (await takeBackup(knib, "quick")).id;
		await knib.ok("settings", "set", RATE, "1");
		await knib.ok("restore", "new", distant, "--as", "stalled", "--quick");
		const vm = guestOf(lab, "stalled", guest.diskDir);
		await untilExecuting();
		const read = "sleep 3; sha256sum < /mnt/data/noise > /tmp/sum; echo $? > /tmp/code";
		await vm.exec(`setsid sh -c '${read}' </dev/null >/dev/null 2>&1 &`);
		far.stall();
		const since = performance.now();
		const until = (ms: number, state: string) =>
			waitFor(async () => (await vm.state()) === state && performance.now() - since > ms, {
				deadlineMs: OUTAGE_MS + ms,
				everyMs: 500,
				what: `${vm.name} to be ${state} after ${ms} ms`,
			});
		await until(OUTAGE_MS / 2, "running");
		t.true((await consolidations()).some((job) => job.state === "executing"));
		await far.fail();
		await until(OUTAGE_MS, "paused");
		await far.back();
		await until(0, "running");
		await waitFor(
			async () => (await vm.exec("cat /tmp/code", { reject: false })).stdout === "0\n",
			{ deadlineMs: 120_000, what: "the guest to have read its file" },
		);
		t.notRegex((await vm.exec("dmesg")).stdout, /I\/O error|EXT4-fs error|Remounting/);
		await knib.ok("settings", "unset", RATE);
		await knib.stop();
		await knib.start();
		for (const { path, format } of await vm.disks()) {
			await waitFor(async () => (await imageChain(path, format)).length === 1, {
				deadlineMs: 120_000,
				what: `${path} to be pulled in`,
			});
		}
		const { stdout } = await vm.exec("cat /mnt/data/gen /tmp/sum; sha256sum < /mnt/data/noise");
		const [generation, first, second] = stdout.split("\n");
		t.is(generation, "now");
		t.is(first, second);
		await vm.remove();
	},
);

test.serial(
	"restore undo › of a quick restore whose repository is lost brings the old disks back, and they boot",
	async (t) => {
		await knib.ok("settings", "set", RATE, "1");
		await knib.ok("restore", "vm", distant, "--quick");
		await guest.exec("echo lost > /mnt/data/gen; sync");
		await far.fail();
		await lab.virsh("destroy", "quick");
		await knib.ok("restore", "undo", "quick");
		await guest.start();
		t.is((await guest.exec("cat /mnt/data/gen")).stdout, "now\n");
	},
);
