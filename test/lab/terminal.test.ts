// What an operator does all day, by keys alone, on a real VM: back it up, prove the backup, look at its screen, restore it.
import { dirname, join } from "node:path";
import test from "ava";
import { needTmux, openTerminal } from "../tui/support/tmux.ts";
import { defineGuest } from "./support/guest.ts";
import { type Knib, startKnib } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";

let lab: Lab;
let knib: Knib;

const JOB_MS = 240_000;
const DONE = /✓ succeeded/;

test.before(async () => {
	await needTmux();
	lab = await startLab();
	knib = await startKnib(lab);
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

test("terminal › backs a VM up, proves the backup, shows its screen and restores it, by keys", async (t) => {
	const guest = await defineGuest(lab, { name: "keys01" });
	await guest.start();
	await knib.ok("vm", "set", "keys01", "backupValidationScreenshotWait=3s");
	const socket = join(dirname(knib.stateDir), "control.sock");
	const env = { KNIB_SOCKET: socket, TERM: "xterm-256color" };
	const { see, press, modes } = await openTerminal(t, { env, width: 120, height: 40 });
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
	await press("Up", "Space", "Enter");
	await see(/1\. [\s\S]*\$ knib restore new \w+ --as keys01-restored --start/);
	await press("Enter");
	await see(/› Job [\s\S]*Restore/);
	await see(DONE, JOB_MS);
	await press("2");
	await see(/keys01-restored +✓ running/);
	t.is((await lab.virsh("domstate", "keys01-restored")).trim(), "running");
	t.is(await guest.state(), "running");

	await press("q");
	await see(/left with 0/);
	t.deepEqual(await modes(), { other: false, cursor: true });
});
