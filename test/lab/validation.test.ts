// Backups proven in throw-away VMs, under libvirt's default configuration. ACCEPTANCE V1 to V14, SAFETY F10, F11.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { PNG } from "pngjs";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest } from "./support/guest.ts";
import { type Knib, startKnib, type TakenBackup, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import {
	awaitThrowAwayVm,
	fingerprint,
	leftovers,
	openFiles,
	openHome,
	scratchOf,
	showBackup,
	stepOf,
	validate,
} from "./support/validation.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
let full: TakenBackup;
let increment: TakenBackup;

const jobsSchema = z.array(
	z.looseObject({
		id: z.string(),
		state: z.string(),
		reason: z.string().nullable(),
		scheduledAt: z.string().nullable(),
	}),
);

const set = (...values: readonly string[]) => knib.ok("vm", "set", "val01", ...values);
const command = (path: string, args = "", expected = "") =>
	set(
		`backupValidationCommand=${path}`,
		`backupValidationCommandArguments=${args}`,
		`backupValidationCommandExpectedResult=${expected}`,
	);
const execute = (id: string) => validate(knib, id, "--steps", "execute_command");

test.before(async () => {
	lab = await startLab({ flavour: "default" });
	knib = await startKnib(lab);
	await openHome(knib);
	guest = await defineGuest(lab, {
		name: "val01",
		extraDevices: "<interface type='user'><model type='virtio'/></interface>",
	});
	await guest.start();
	await knib.ok("settings", "set", "backup.chain.size", "0");
	// Without it a validation that fails by the host's fault waits for its next attempt.
	await knib.ok("settings", "set", "backup.validation.max.job.retries", "1");
	await set("backupValidationScreenshotWait=5s", "backupValidationBootTimeout=90s");
	full = await takeBackup(knib, "val01");
	await guest.exec("guestbin fill /mnt/data/big 4 2; sync");
	increment = await takeBackup(knib, "val01");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

test.afterEach(async (t) => {
	t.deepEqual(await leftovers(lab, knib), []);
});

test("boot › an increment boots, answers, shows its screen, and no file of the repository changes in any way", async (t) => {
	const before = await fingerprint(knib);
	await command("echo", "ababa", "YWJhYmEK");
	const steps = ["wait_for_boot", "screenshot", "execute_command"].join(",");
	const { code, stderr, backup } = await validate(knib, increment.id, "--steps", steps);
	t.is(code, 0, stderr);
	t.is(backup.validationStatus, "Valid");
	t.deepEqual(
		backup.proof.map((one) => one.level).filter((level) => level !== "copied"),
		["checked", "booted", "answered"],
	);
	t.true(stepOf(backup, "wait_for_boot").durationMs > 0);
	t.is(stepOf(backup, "execute_command").output, "ababa\n");
	t.deepEqual(await fingerprint(knib), before);
	const vm = z
		.looseObject({ promise: z.looseObject({ bootMs: z.number(), answerMs: z.number() }) })
		.parse(await knib.ok("vm", "show", "val01"));
	t.true(vm.promise.answerMs >= vm.promise.bootMs);
});

test("screenshot › is kept and can be fetched as PNG", async (t) => {
	const file = join(lab.dir, "screen.png");
	await knib.ok("backup", "screenshot", increment.id, "-o", file);
	const { width, height } = PNG.sync.read(await readFile(file));
	t.true(width >= 640 && height >= 400);
});

test("command › none is skipped and said so", async (t) => {
	await command("");
	const { code, backup } = await execute(full.id);
	t.is(code, 0);
	t.true(stepOf(backup, "execute_command").skipped);
	t.regex(stepOf(backup, "execute_command").message, /no command/);
});

test("command › exit code 0 passes, also when nothing is printed", async (t) => {
	await command("echo", "ababa");
	t.is((await execute(full.id)).code, 0);
	await command("true");
	const { code, backup } = await execute(full.id);
	t.is(code, 0);
	t.is(stepOf(backup, "execute_command").output, "");
});

test("network › the guest has no network device and libvirt knows of none", async (t) => {
	await command("/bin/sh", `-c "cat /sys/bus/pci/devices/*/class | grep -c ^0x02"`, "MAo=");
	const run = knib.begin("backup", "validate", increment.id, "--steps", "execute_command");
	const xml = await lab.virsh("dumpxml", await awaitThrowAwayVm(lab));
	t.notRegex(xml, /<interface|<graphics|<hostdev|<filesystem/);
	t.is((await run).exitCode, 0);
});

test("limits › a command that floods is cut, one that hangs ends on its limit", async (t) => {
	await knib.ok("settings", "set", "backup.validation.end.chain.on.fail", "false");
	await command("/bin/sh", `-c "yes | head -c 1000000"`);
	const flood = await execute(full.id);
	t.is(flood.code, 0, flood.stderr);
	t.true((stepOf(flood.backup, "execute_command").output ?? "").length < 100_000);
	await command("/bin/sh", `-c "yes | head -c 12000000"`);
	const deluge = await execute(full.id);
	t.is(deluge.code, 7, deluge.stderr);
	t.regex(stepOf(deluge.backup, "execute_command").message, /printed more than/);
	await set("backupValidationCommandTimeout=3s");
	await command("/bin/sleep", "1000");
	const hung = await execute(full.id);
	t.is(hung.code, 7, hung.stderr);
	t.is(hung.backup.validationStatus, "NotValid");
	await set("backupValidationCommandTimeout=");
});

test("agent › one that answers with garbage without end, and one that is missing, end on the boot timeout", async (t) => {
	const mute = await defineGuest(lab, { name: "valmute", agent: false });
	const noAgent = await takeBackup(knib, "valmute");
	await knib.ok("vm", "set", "valmute", "backupValidationBootTimeout=12s");
	const silent = await validate(knib, noAgent.id, "--steps", "wait_for_boot,execute_command");
	t.is(silent.code, 7, silent.stderr);
	t.regex(stepOf(silent.backup, "wait_for_boot").message, /did not answer within 12 s/);
	await mute.remove();
	await guest.exec(
		`mv /usr/sbin/qemu-ga /usr/sbin/qemu-ga.real; printf '#!/bin/sh\nexec cat /dev/urandom >/dev/virtio-ports/org.qemu.guest_agent.0\n' >/usr/sbin/qemu-ga; chmod +x /usr/sbin/qemu-ga; sync`,
	);
	const hostile = await takeBackup(knib, "val01", "--isolated");
	await guest.exec("mv /usr/sbin/qemu-ga.real /usr/sbin/qemu-ga; sync");
	await set("backupValidationBootTimeout=15s");
	const garbage = await validate(knib, hostile.id, "--steps", "wait_for_boot");
	await set("backupValidationBootTimeout=90s");
	t.is(garbage.code, 7, garbage.stderr);
	t.is(garbage.backup.validationStatus, "NotValid");
	t.is(await guest.state(), "running");
});

test("definition › shareable and excluded disks, a serial file and arguments of qemu's own are not opened", async (t) => {
	const odd = join(lab.dir, "odd-files");
	await mkdir(odd, { recursive: true });
	const file = (name: string) => join(odd, name);
	for (const name of ["shared", "excluded", "drive"])
		await writeFile(file(name), Buffer.alloc(1 << 20));
	const source = await defineGuest(lab, {
		name: "valodd",
		extraDevices: [
			`<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${file("shared")}'/><target dev='vdx' bus='virtio'/><shareable/></disk>`,
			`<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${file("excluded")}'/><target dev='vdy' bus='virtio'/></disk>`,
		].join(""),
		extraXml: `<qemu:commandline><qemu:arg value='-drive'/><qemu:arg value='file=${file("drive")},format=raw,if=none,id=own'/></qemu:commandline>`,
	});
	const backup = await takeBackup(knib, "valodd", "--exclude-disk", "vdy");
	const run = knib.begin("backup", "validate", backup.id, "--steps", "wait_for_boot");
	const name = await awaitThrowAwayVm(lab);
	const xml = await lab.virsh("dumpxml", name);
	const isDisk = (path: string) => path.endsWith("vda.qcow2");
	const opened = await waitFor(
		async () => {
			const paths = await openFiles(scratchOf(knib));
			return paths.some(isDisk) ? paths : undefined;
		},
		{ deadlineMs: 120_000, what: "the throw-away VM to open its disk" },
	);
	const { exitCode, stderr } = await run;
	t.is(exitCode, 3, String(stderr));
	for (const text of [xml, ...opened]) t.notRegex(text, /odd-files|console\.log/);
	await source.remove();
});

test("memory › the limit of the setting is the VM's memory, and more than the host has is our own trouble", async (t) => {
	await knib.ok("settings", "set", "backup.validation.memory.limit", "100MiB");
	await command("true");
	const run = knib.begin("backup", "validate", full.id, "--steps", "execute_command");
	t.regex(await lab.virsh("dumpxml", await awaitThrowAwayVm(lab)), /<memory unit='KiB'>102400</);
	t.is((await run).exitCode, 0);
	await knib.ok("settings", "unset", "backup.validation.memory.limit");
	const huge = await defineGuest(lab, { name: "valhuge", memoryMib: 8_000_000 });
	const backup = await takeBackup(knib, "valhuge");
	const shown = await validate(knib, backup.id);
	t.is(shown.code, 1);
	t.is(shown.backup.validationStatus, "UnableToValidate");
	t.regex(shown.backup.validationMessage ?? "", /needs 8000000 MiB of memory/);
	await huge.remove();
});

test("CPU › a model that the host lacks is our own trouble", async (t) => {
	const uuid = "0f0f0f0f-1111-4222-8333-444444444444";
	const odd = await defineGuest(lab, { name: "valcpu", uuid });
	const file = join(lab.dir, "valcpu.xml");
	const xml = (await readFile(file, "utf8")).replace(
		/<cpu [\s\S]*<\/cpu>|<cpu [^>]*\/>/,
		"<cpu mode='custom' match='exact' check='none'><model fallback='allow'>phenom</model></cpu>",
	);
	await writeFile(file, xml);
	await lab.virsh("define", file);
	const backup = await takeBackup(knib, "valcpu");
	const shown = await validate(knib, backup.id);
	t.is(shown.code, 1);
	t.regex(shown.backup.validationMessage ?? "", /CPU model phenom cannot be run/);
	await odd.remove();
});

test("firmware › a UEFI guest boots with a copy of its variables", async (t) => {
	const uefi = await defineGuest(lab, { name: "valuefi", uefi: true });
	await uefi.start();
	const backup = await takeBackup(knib, "valuefi");
	await uefi.kill();
	const {
		code,
		stderr,
		backup: shown,
	} = await validate(knib, backup.id, "--steps", "wait_for_boot");
	t.is(code, 0, stderr);
	t.is(shown.validationStatus, "Valid");
	await uefi.remove();
});

test("kill › knibd dying under a validation leaves nothing once it is back", async (t) => {
	await command("/bin/sleep", "8");
	const run = knib.begin("backup", "validate", full.id, "--steps", "execute_command");
	await awaitThrowAwayVm(lab);
	await knib.kill();
	await run;
	await knib.start();
	await knib.settled();
	t.not((await showBackup(knib, full.id)).validationStatus, "Validating");
});

test("retry › trouble of the host is tried again after the interval", async (t) => {
	await knib.ok("settings", "set", "backup.validation.max.job.retries", "2");
	await command("true");
	await rename(knib.repository, `${knib.repository}.away`);
	await knib.cli("backup", "validate", full.id, "--steps", "execute_command", "--no-wait");
	const waiting = await waitFor(
		async () => {
			const jobs = jobsSchema.parse(await knib.ok("job", "list", "--type", "BackupValidation"));
			return jobs.find((job) => job.state === "waiting" && job.scheduledAt !== null);
		},
		{ deadlineMs: 120_000, what: "the next attempt to be scheduled" },
	);
	await rename(`${knib.repository}.away`, knib.repository);
	t.regex(waiting.reason ?? "", /attempt|again|retr/i);
	await knib.cli("job", "cancel", waiting.id);
	await knib.ok("settings", "set", "backup.validation.max.job.retries", "1");
});

test("repository › one that is away makes the backup UnableToValidate, and it is valid again once it is back", async (t) => {
	await command("true");
	await rename(knib.repository, `${knib.repository}.away`);
	const away = await validate(knib, full.id, "--steps", "execute_command");
	await rename(`${knib.repository}.away`, knib.repository);
	t.true(away.code === 8 || away.code === 6, `${away.code} ${away.stderr}`);
	t.is(away.backup.validationStatus, "UnableToValidate");
	const back = await execute(full.id);
	t.is(back.code, 0, back.stderr);
	t.is(back.backup.validationStatus, "Valid");
});

test("result › another output than the expected one is not valid, is shown, and ends the open chain", async (t) => {
	await knib.ok("settings", "set", "backup.validation.end.chain.on.fail", "true");
	await command("echo", "ababa", "absduiYWJhYmEK");
	const { code, backup } = await execute(increment.id);
	t.is(code, 7);
	t.is(backup.validationStatus, "NotValid");
	t.is(stepOf(backup, "execute_command").output, "ababa\n");
	t.deepEqual(backup.proof.map((one) => one.level).at(-1), "answered");
	const chain = z
		.looseObject({ state: z.string(), endReason: z.string() })
		.parse(await knib.ok("chain", "show", increment.chain));
	t.is(chain.state, "ended");
	t.regex(chain.endReason, /not valid/);
	const next = await takeBackup(knib, "val01");
	t.is(next.kind, "full");
	await command("true");
});

test("digest › one byte flipped in a parent's layer is found, the file named, and what stands on it marked", async (t) => {
	const parent = await takeBackup(knib, "val01");
	await guest.exec("echo more >/var/more; sync");
	const child = await takeBackup(knib, "val01");
	const layer = join(parent.path, "vda.qcow2");
	const bytes = await readFile(layer);
	const at = bytes.length - 4096;
	bytes[at] = (bytes[at] ?? 0) ^ 1;
	await writeFile(layer, bytes);
	const bad = await validate(knib, child.id, "--digests-only");
	t.is(bad.code, 7, bad.stderr);
	t.true(stepOf(bad.backup, "digest").message.includes(layer));
	t.is(bad.backup.validationStatus, "NotValid");
	t.is((await showBackup(knib, parent.id)).validationStatus, "NotValid");
	const chain = z
		.looseObject({ state: z.string() })
		.parse(await knib.ok("chain", "show", child.chain));
	t.is(chain.state, "ended");
});

test("source › a backup whose VM is gone still validates", async (t) => {
	const gone = await defineGuest(lab, { name: "valgone" });
	const backup = await takeBackup(knib, "valgone");
	await gone.remove();
	const { code, stderr } = await validate(knib, backup.id, "--steps", "wait_for_boot");
	t.is(code, 0, stderr);
});
