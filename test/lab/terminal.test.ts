// What an operator does all day, by keys alone, on a real VM: back it up, prove the backup, look at its screen, restore it.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { needTmux, openTerminal } from "../tui/support/tmux.ts";
import { applianceEnvironment } from "./support/appliance.ts";
import { defineGuest } from "./support/guest.ts";
import { type Knib, startKnib } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";

let lab: Lab;
let knib: Knib;

const JOB_MS = 240_000;
const APPLIANCE_MS = 400_000;
const DONE = /✓ succeeded/;

test.before(async () => {
	await needTmux();
	lab = await startLab();
	knib = await startKnib(lab, "knib", { environment: await applianceEnvironment() });
	await knib.ok("offering", "update", "default", "--allow-extract-file", "--allow-quick-restore");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const open = (t: ExecutionContext) => {
	const socket = join(dirname(knib.stateDir), "control.sock");
	const env = { KNIB_SOCKET: socket, TERM: "xterm-256color" };
	return openTerminal(t, { env, width: 120, height: 40 });
};

test.serial(
	"terminal › backs a VM up, proves the backup, shows its screen and restores it quickly, by keys",
	async (t) => {
		const guest = await defineGuest(lab, { name: "keys01" });
		await guest.start();
		await knib.ok("vm", "set", "keys01", "backupValidationScreenshotWait=3s");
		await guest.exec("mkdir /mnt/data/mail && printf kept > /mnt/data/mail/inbox && sync");
		const { see, press, modes } = await open(t);
		await see(/VM at risk +keys01 +it has no backup/);

		await press("2");
		await see(/keys01 +✓ running/);
		await press("b");
		await see(/back up keys01[\s\S]*its disks: vda vdb/);
		await press("Enter");
		await see(/full[\s\S]*1\. [\s\S]*\$ knib backup create keys01/);
		await press("Enter");
		await see(/› Job [\s\S]*Backup keys01/);
		await see(DONE, JOB_MS);

		await press("4");
		await see(/keys01 +full +[\d.]+ MiB +copied/);
		await press("V");
		await see(/\[x\][\s\S]*\[x\][\s\S]*\[ \]/);
		await press("Enter");
		await see(/1\. [\s\S]*\$ knib backup validate \w+ --steps wait_for_boot,screenshot/);
		await press("Enter");
		await see(/› Job [\s\S]*BackupValidation keys01/);
		await see(DONE, JOB_MS);
		await press("4");
		await see(/✓ booted/);
		await press("Enter");
		await see(/✓ booted[\s\S]*✓ screenshot ok/);
		await see(/comes back +booted in [\d.]+ s/);
		await see(/▀{20}/);

		await press("R");
		await see(/as a new VM[\s\S]*comes back: booted in [\d.]+ s[\s\S]*keys01-restored/);
		await press("Up", "Space", "Up", "Space", "Enter");
		await see(/1\. [\s\S]*\$ knib restore new \w+ --as keys01-restored --start --quick/);
		await press("Enter");
		await see(/› Job [\s\S]*Restore/);
		await see(DONE, JOB_MS);
		await press("2");
		await see(/keys01-restored +✓ running/);
		t.is((await lab.virsh("domstate", "keys01-restored")).trim(), "running");
		t.is(await guest.state(), "running");
		await press("5");
		await see(/Consolidate +keys01-restored[^\n]*✓ succeeded/, JOB_MS);

		await press("q");
		await see(/left with 0/);
		t.deepEqual(await modes(), { other: false, cursor: true });
	},
);

test.serial("terminal › finds a file in a backup and brings it out, by keys", async (t) => {
	const { see, press } = await open(t);
	await press("4");
	await see(/keys01 +full/);
	await press("l");
	await see(/files of +\w+[\s\S]*\/ +vda[\s\S]*\/ +vdb/);
	await press("Down", "Enter");
	await see(/in +vdb[\s\S]*\/ +mail/, APPLIANCE_MS);
	await press("/");
	await press("-l", "mail");
	await press("Enter");
	await press("Enter");
	await see(/in +vdb [^\n]*\/mail[\s\S]*inbox +4 B[\s\S]*\$ knib files list/);
	await press("x");
	await see(/extract one file or directory[\s\S]*\/mail\/inbox[\s\S]*into directory/);
	const out = join(lab.dir, "out");
	await press("C-u");
	await press("-l", out);
	await press("Enter");
	await see(/1\. [\s\S]*\$ knib files extract \w+ \/mail\/inbox --disk vdb/);
	await press("Enter");
	await see(/› Job [\s\S]*ExtractFiles keys01/);
	await see(DONE, JOB_MS);
	t.is(await readFile(join(out, "inbox"), "utf8"), "kept");
	await press("q");
	await see(/left with 0/);
});
