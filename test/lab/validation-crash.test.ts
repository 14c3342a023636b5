// knibd is killed with SIGKILL at every line of its journal while a backup is validated. After each: no VM, file or process is left,
// no file of the repository has changed, and the validation is made again by itself.
import test from "ava";
import { killAtLine, startAndSettle } from "./support/crash.ts";
import { defineGuest } from "./support/guest.ts";
import { type Knib, startKnib, type TakenBackup, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { fingerprint, leftovers, openHome, showBackup } from "./support/validation.ts";

let lab: Lab;
let knib: Knib;
let backup: TakenBackup;

test.before(async () => {
	lab = await startLab({ flavour: "default" });
	knib = await startKnib(lab);
	await openHome(knib);
	await defineGuest(lab, { name: "valcrash" });
	backup = await takeBackup(knib, "valcrash");
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

test("crash › at every line of its journal a validation leaves nothing and is made again", async (t) => {
	t.timeout(1_800_000);
	const before = await fingerprint(knib);
	const command = ["backup", "validate", backup.id, "--steps", "wait_for_boot"];
	for (let line = 1; await killAtLine(knib, line, ...command); line++) {
		await startAndSettle(knib);
		t.deepEqual(await leftovers(lab, knib), [], `line ${line}`);
		t.deepEqual(await fingerprint(knib), before, `line ${line}`);
		t.is((await showBackup(knib, backup.id)).validationStatus, "Valid", `line ${line}`);
		t.true(line < 60, "the validation never ends");
	}
});
