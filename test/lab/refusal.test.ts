// Wrong input and broken surroundings: each has its exit code, and nothing is touched.
import { cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { execa } from "execa";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest } from "./support/guest.ts";
import { type CliResult, type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { assertPoint, overlays, takePoint } from "./support/points.ts";
import { run } from "./support/run.ts";
import { mountDirectory, mountTmpfs, unmount } from "./support/storage.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
/** Backups whose manifest a test has edited: no rescan trusts them. */
const edited: string[] = [];

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab);
	guest = await defineGuest(lab, { name: "edge", memoryMib: 128 });
	await guest.start();
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const errorSchema = z.looseObject({
	error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string() }),
});

const errorOf = (result: CliResult) => {
	const last = result.stdout.trim().split("\n").at(-1) ?? "";
	const parsed = errorSchema.safeParse(
		JSON.parse(result.stdout.includes("\n{") ? last : result.stdout),
	);
	return parsed.success ? parsed.data.error : errorSchema.parse(JSON.parse(last)).error;
};

/** A command that must be refused with the exit code; the guest runs on and nothing lies beside its disks. */
const refused = async (t: ExecutionContext, code: number, ...args: readonly string[]) => {
	const before = await overlays(guest);
	const result = await knib.cli(...args, "--json");
	t.is(result.code, code, `${args.join(" ")}: ${result.stdout} ${result.stderr}`);
	const error = errorOf(result);
	t.not(error.message, "");
	t.not(error.hint, "");
	t.deepEqual(await overlays(guest), before);
	return error;
};

test.serial("wrong input › has its exit code and touches nothing", async (t) => {
	await refused(t, 4, "backup", "create", "nobody");
	await refused(t, 2, "backup", "create", "edge", "--disk", "vdz");
	await refused(t, 4, "backup", "show", "0123456789");
	await refused(t, 4, "job", "show", "0123456789");
	await refused(t, 2, "settings", "set", "backup.chain.length", "3");
	await refused(t, 2, "settings", "set", "backup.chain.size", "many");
	t.is((await knib.cli("backup", "create")).code, 2);
	t.is((await knib.cli("no-such-topic")).code, 2);
});

test.serial(
	"quiesce › freezes only around the switch, and is refused without an agent that answers",
	async (t) => {
		await guest.exec("guestbin fill /mnt/data/q 8 1; sync");
		const quiesced = await takePoint(knib, guest, "--isolated").then(() =>
			knib.ok("backup", "create", "edge", "--quiesce"),
		);
		t.is(z.looseObject({ consistency: z.string() }).parse(quiesced).consistency, "quiesced");
		t.is((await guest.exec("date > /var/thawed; sync; echo ok")).stdout, "ok\n");
		await lab.virsh("suspend", "edge");
		await refused(t, 6, "backup", "create", "edge", "--quiesce");
		await lab.virsh("resume", "edge");
		const mute = await defineGuest(lab, { name: "mute", agent: false });
		await mute.start();
		const result = await knib.cli("backup", "create", "mute", "--quiesce", "--json");
		t.is(result.code, 6);
		t.regex(errorOf(result).message, /agent/);
		t.deepEqual(await overlays(mute), [0, 0]);
		await mute.kill();
		await mute.remove();
	},
);

test.serial(
	"repository › that is missing, empty, foreign, newer or read-only is refused with words",
	async (t) => {
		await refused(t, 6, "repository", "add", "empty", "--path", "/dev/null/nowhere");
		const foreign = join(lab.dir, "foreign");
		await mkdir(foreign);
		await writeFile(join(foreign, "something"), "of somebody else");
		await refused(t, 6, "repository", "add", "foreign", "--path", foreign);
		const file = join(knib.repository, "knib-repository.json");
		const text = await readFile(file, "utf8");
		await writeFile(
			file,
			JSON.stringify({ ...z.looseObject({}).parse(JSON.parse(text)), format: 99 }),
		);
		t.regex((await refused(t, 6, "backup", "create", "edge")).message, /newer|format/);
		await writeFile(file, text);
		const away = `${knib.repository}.away`;
		await rename(knib.repository, away);
		await refused(t, 6, "backup", "create", "edge");
		await mkdir(knib.repository);
		t.regex((await refused(t, 6, "backup", "create", "edge")).message, /empty|mount/i);
		await rm(knib.repository, { recursive: true });
		await rename(away, knib.repository);
		await run(["mount", "--bind", knib.repository, knib.repository]);
		await run(["mount", "-o", "remount,bind,ro", knib.repository]);
		try {
			await refused(t, 6, "backup", "create", "edge");
		} finally {
			await unmount(knib.repository);
		}
		t.is((await takeBackup(knib, "edge")).status, "BackedUp");
	},
);

test.serial(
	"repository › that runs full fails the backup with its cause and leaves the VM as it was",
	async (t) => {
		const small = await mountTmpfs(lab, "small", 24);
		await knib.ok("repository", "add", "small", "--path", small.path);
		await knib.ok("offering", "create", "tiny", "--repository", "small");
		await knib.ok("chain", "finish", "edge");
		await knib.ok("vm", "assign", "edge", "tiny");
		await guest.exec("guestbin fill /mnt/data/big 48 3; sync");
		const result = await knib.cli("backup", "create", "edge", "--json");
		t.is(result.code, 1, result.stdout);
		t.regex(errorOf(result).code, /NO_SPACE/);
		t.is(await guest.state(), "running");
		t.deepEqual(await overlays(guest), [0, 0]);
		t.is(
			(await run(["sh", "-c", `find '${small.path}' -name '*.qcow2' | wc -l`])).stdout.trim(),
			"0",
		);
		const failed = z
			.array(z.looseObject({ status: z.string(), error: z.unknown() }))
			.parse(await knib.ok("backup", "list", "--vm", "edge", "--all"));
		t.true(failed.some((backup) => backup.status === "Failed" && backup.error !== null));
		await knib.ok("vm", "unassign", "edge");
		const point = await takePoint(knib, guest);
		await assertPoint(t, point);
		await small.unmount();
	},
);

test.serial("cancel › in the middle of the copy undoes everything and exits 130", async (t) => {
	await guest.exec("guestbin fill /mnt/data/big 96 4; sync");
	await knib.ok("settings", "set", "backup.copy.rate.limit", "4MB/s");
	const before = await overlays(guest);
	const backup = knib.begin("backup", "create", "edge", "--isolated");
	await waitFor(async () => (await readdir(join(knib.repository, "incoming"))).length > 0, {
		deadlineMs: 120_000,
		what: "the copy to begin",
	});
	backup.kill("SIGINT");
	const result = await backup;
	t.is(result.exitCode, 130, String(result.stderr));
	await knib.ok("settings", "unset", "backup.copy.rate.limit");
	t.deepEqual(await overlays(guest), before);
	t.is(await guest.state(), "running");
	t.is((await run(["sh", "-c", `ls '${knib.repository}/incoming' | wc -l`])).stdout.trim(), "0");
	const jobs = z.array(z.looseObject({ state: z.string() })).parse(await knib.ok("job", "list"));
	t.is(jobs[0]?.state, "cancelled");
});

test.serial("base › that cannot be proven becomes a full with the reason", async (t) => {
	const broken = async (breakIt: (path: string) => Promise<void>, reason: RegExp) => {
		const base = await takeBackup(knib, "edge");
		if (reason.source === "manifest") edited.push(base.id);
		await breakIt(base.path);
		const next = await takePoint(knib, guest);
		t.is(next.backup.kind, "full", next.backup.reason);
		t.regex(next.backup.reason, reason);
		await assertPoint(t, next);
		t.deepEqual(await overlays(guest), [1, 1]);
	};
	await broken((path) => truncate(join(path, "vdb.qcow2"), 70_000), /vdb/);
	await broken((path) => cp(join(path, "vda.qcow2"), join(path, "vdb.qcow2")), /vdb/);
	await broken(async (path) => {
		const file = join(path, "manifest.json");
		await writeFile(file, (await readFile(file, "utf8")).replace('"labels"', '"lables"'));
	}, /manifest/);
});

test.serial("restore › of a truncated layer exits 7 and makes no VM", async (t) => {
	const taken = await takeBackup(knib, "edge", "--isolated");
	await truncate(join(taken.path, "vdb.qcow2"), 70_000);
	const result = await knib.cli("restore", "new", taken.id, "--as", "never", "--json");
	t.is(result.code, 7, result.stdout);
	t.not((await lab.tryVirsh("domstate", "never")).exitCode, 0);
});

test.serial(
	"guest › outside blockcommit makes a full, a resized or attached disk a full of that disk, with the reason",
	async (t) => {
		await takeBackup(knib, "edge");
		await lab.virsh("blockcommit", "edge", "vda", "--active", "--pivot", "--wait");
		t.regex((await knib.cli("doctor")).stdout, /VM edge: it cannot go on.*overlay of vda is gone/);
		const committed = await takePoint(knib, guest);
		t.regex(committed.backup.reason, /overlay of vda is gone/);
		await assertPoint(t, committed);
		await lab.virsh("blockresize", "edge", "vdb", "320M");
		const resized = await takePoint(knib, guest);
		t.is(resized.backup.kind, "incremental");
		t.regex(resized.backup.reason, /vdb in full: vdb was resized/);
		await assertPoint(t, resized);
		await run(["qemu-img", "create", "-q", "-f", "raw", join(guest.diskDir, "extra.raw"), "16M"]);
		await lab.virsh(
			"attach-disk",
			"edge",
			join(guest.diskDir, "extra.raw"),
			"vdc",
			"--subdriver",
			"raw",
			"--persistent",
		);
		await guest.found("vdc");
		const attached = await takePoint(knib, guest);
		t.is(attached.backup.kind, "incremental");
		t.regex(attached.backup.reason, /vdc in full: vdc was not part/);
		await assertPoint(t, attached);
		await lab.virsh("detach-disk", "edge", "vdc", "--persistent");
		await guest.released("vdc");
		t.regex((await takeBackup(knib, "edge")).reason, /vdc is no longer part/);
	},
);

test.serial("state directory › is used by one knibd at a time", async (t) => {
	const second = await execa(
		process.execPath,
		[new URL("../../bin/knibd.js", import.meta.url).pathname],
		{
			env: {
				KNIB_STATE_DIR: knib.stateDir,
				KNIB_SOCKET: join(lab.dir, "second.sock"),
				KNIB_LIBVIRT_URI: lab.uri,
			},
			reject: false,
			timeout: 120_000,
		},
	);
	t.is(second.exitCode, 5, second.stderr);
	t.regex(second.stderr, /another process|in use/);
	t.is((await knib.cli("status")).code, 0);
});

test.serial("store › deleted is rebuilt by a rescan, all backups back", async (t) => {
	const list = async () =>
		z
			.array(z.looseObject({ id: z.string(), status: z.string() }))
			.parse(await knib.ok("backup", "list", "--vm", "edge"));
	const before = (await list())
		.filter((backup) => backup.status === "BackedUp")
		.map((backup) => backup.id);
	t.true(before.length > 3);
	await knib.stop();
	await rm(join(knib.stateDir, "store"), { recursive: true });
	await knib.start();
	await knib.ok("init", "--repository", knib.repository);
	await knib.ok("repository", "rescan");
	const after = (await list()).map((backup) => backup.id);
	t.deepEqual(
		before.filter((id) => !after.includes(id) && !edited.includes(id)),
		[],
	);
});

test.serial("mounts › a bind mount that goes away during a backup loses nothing", async (t) => {
	const source = join(lab.dir, "bound");
	await mkdir(source);
	const mounted = await mountDirectory(lab, "bound", source);
	await knib.ok("repository", "add", "bound", "--path", mounted.path);
	await mounted.unmount();
	const listed = z
		.array(z.looseObject({ name: z.string(), state: z.string() }))
		.parse(await knib.ok("repository", "list"));
	t.not(listed.find((one) => one.name === "bound")?.state, "ready");
	t.is((await takeBackup(knib, "edge")).status, "BackedUp");
});
