import {
	mergeProofs,
	type Proof,
	provenLevels,
	renewPromise,
	type ValidationStepReport,
} from "@knib/core";
import test from "ava";

const report = (
	step: ValidationStepReport["step"],
	override: Partial<ValidationStepReport> = {},
): ValidationStepReport => ({
	step,
	ok: true,
	skipped: false,
	message: "",
	durationMs: 10,
	output: null,
	...override,
});

const levels = (steps: readonly ValidationStepReport[]): readonly string[] =>
	provenLevels(steps).map(({ level }) => level);

test("provenLevels › rises with what has been shown", (t) => {
	t.deepEqual(levels([]), []);
	t.deepEqual(levels([report("digest")]), ["checked"]);
	t.deepEqual(levels([report("digest"), report("screenshot")]), ["checked", "booted"]);
	t.deepEqual(levels([report("digest"), report("wait_for_boot"), report("execute_command")]), [
		"checked",
		"booted",
		"answered",
	]);
});

test("provenLevels › takes a skipped step for no proof", (t) => {
	t.deepEqual(levels([report("digest"), report("execute_command", { skipped: true })]), [
		"checked",
	]);
});

test("provenLevels › proves nothing beyond the digests once a step has failed", (t) => {
	const steps = [
		report("digest"),
		report("wait_for_boot"),
		report("execute_command", { ok: false }),
	];
	t.deepEqual(levels(steps), ["checked"]);
	t.deepEqual(levels([report("digest", { ok: false })]), []);
});

const proof = (level: Proof["level"], at: number): Proof => ({
	level,
	at: `2026-01-0${at}T00:00:00.000Z`,
	host: "host",
	durationMs: 1,
});

test("mergeProofs › keeps the newest of each level, weakest first", (t) => {
	t.deepEqual(
		mergeProofs(
			[proof("booted", 1), proof("copied", 1)],
			[proof("booted", 3), proof("checked", 3)],
		),
		[proof("copied", 1), proof("checked", 3), proof("booted", 3)],
	);
});

test("renewPromise › leaves what was not measured anew", (t) => {
	t.is(renewPromise(null, {}), null);
	const first = renewPromise(null, { bootMs: 9000 });
	t.deepEqual(first, { bootMs: 9000, answerMs: null, pullBytesPerSecond: null });
	t.deepEqual(renewPromise(first, { answerMs: 9500 }), {
		bootMs: 9000,
		answerMs: 9500,
		pullBytesPerSecond: null,
	});
});
