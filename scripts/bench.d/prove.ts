// From a backup to its proof, and how many validations a host does in an hour: the lab's guest, booted and asked by its agent.
import { z } from "zod";
import { waitFor } from "../../test/lab/support/deadline.ts";
import { defineGuest } from "../../test/lab/support/guest.ts";
import { startKnib, takeBackup } from "../../test/lab/support/knib.ts";
import { startLab } from "../../test/lab/support/lab.ts";
import { openHome, showBackup } from "../../test/lab/support/validation.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const VMS = 2;

const since = (started: number): number => (performance.now() - started) / 1000;
const jobs = z.array(z.looseObject({ state: z.string() }));

const lab = await startLab({ flavour: "default" });
try {
	const knib = await startKnib(lab);
	await openHome(knib);
	await knib.ok(
		"offering",
		"create",
		"proven",
		"--compress",
		"--validate",
		"--validation-steps",
		"wait_for_boot",
	);
	for (let n = 1; n <= VMS; n++) {
		await defineGuest(lab, { name: `prove${n}` });
		await knib.ok("vm", "assign", `prove${n}`, "proven");
	}
	console.log(`guests run by ${lab.accel}; ${ROUNDS} rounds`);
	const ids: string[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const started = performance.now();
		const { id } = await takeBackup(knib, "prove1", "--isolated");
		const taken = since(started);
		await waitFor(
			async () => (await showBackup(knib, id)).proof.some((one) => one.level === "booted"),
			{
				deadlineMs: 600_000,
				everyMs: 200,
				what: "the proof",
			},
		);
		console.log(
			`backup ${taken.toFixed(1)} s; compressed and proven to boot after ${since(started).toFixed(1)} s`,
		);
		ids.push(id);
	}
	const { id } = await takeBackup(knib, "prove2", "--isolated");
	const ended = async () =>
		jobs
			.parse(await knib.ok("job", "list"))
			.every((job) => !["waiting", "executing"].includes(job.state));
	await waitFor(ended, { deadlineMs: 600_000, everyMs: 500, what: "all jobs to end" });
	for (const limit of [1, VMS]) {
		await knib.ok(
			"settings",
			"set",
			"backup.validation.max.concurrent.operations.per.host",
			String(limit),
		);
		const started = performance.now();
		const asked = [ids[0] ?? "", id, ids[1] ?? "", id];
		for (const one of asked) await knib.ok("backup", "validate", one, "--no-wait");
		await waitFor(ended, { deadlineMs: 900_000, everyMs: 500, what: "the validations" });
		const each = since(started) / asked.length;
		console.log(
			`${limit} at a time: ${each.toFixed(1)} s each, ${Math.floor(3600 / each)} an hour`,
		);
	}
	await knib.stop();
} finally {
	await lab.stop();
}
