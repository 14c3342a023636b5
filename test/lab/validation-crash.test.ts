// knibd is killed with SIGKILL at every line of its journal while a backup is validated. After each: no VM, file or process is left,
// no file of the repository has changed, and the validation is made again by itself.
import test from "ava";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest } from "./support/guest.ts";
import { type Knib, startKnib, type TakenBackup, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { fingerprint, leftovers, openHome, showBackup } from "./support/validation.ts";

let lab: Lab;
let knib: Knib;
let backup: TakenBackup;

const jobs = z.array(z.looseObject({ state: z.string() }));
const ENDED = /^(?:succeeded|failed|cancelled)$/;

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

/** Kills knibd after the n-th line of its journal; false when the validation had ended before. */
const killAtLine = async (line: number): Promise<boolean> => {
	await knib.stop();
	await knib.start({ KNIB_CRASH_AFTER_JOURNAL_LINES: String(line) });
	const run = await knib.begin("backup", "validate", backup.id, "--steps", "wait_for_boot");
	if (run.exitCode === 0) return false;
	await knib.died(60_000);
	return true;
};

test("crash › at every line of its journal a validation leaves nothing and is made again", async (t) => {
	t.timeout(900_000);
	const before = await fingerprint(knib);
	for (let line = 1; await killAtLine(line); line++) {
		await knib.start();
		await waitFor(
			async () => jobs.parse(await knib.ok("job", "list")).every(({ state }) => ENDED.test(state)),
			{ deadlineMs: 90_000, what: `the validation killed at line ${line} to be made again` },
		);
		t.deepEqual(await leftovers(lab, knib), [], `line ${line}`);
		t.deepEqual(await fingerprint(knib), before, `line ${line}`);
		t.is((await showBackup(knib, backup.id)).validationStatus, "Valid", `line ${line}`);
		t.true(line < 60, "the validation never ends");
	}
});
