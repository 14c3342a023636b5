import { dueValidations, type Proof, type RepeatCandidate } from "@knib/core";
import test from "ava";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-03-02T00:00:00.000Z");
const proof = (level: Proof["level"], hoursAgo: number): Proof => ({
	level,
	at: new Date(NOW - hoursAgo * HOUR).toISOString(),
	host: "host",
	durationMs: 1,
});
const candidate = (sequence: number, override: Partial<RepeatCandidate> = {}): RepeatCandidate => ({
	backup: `b${sequence}`,
	vm: "vm",
	chain: "chain",
	sequence,
	proofs: [proof("checked", 25)],
	intervalMs: 24 * HOUR,
	repeat: "digest",
	busy: false,
	...override,
});
const due = (...all: readonly RepeatCandidate[]): readonly string[] =>
	dueValidations(all, NOW, Date.parse).map(({ backup, mode }) => `${backup} ${mode}`);

test("dueValidations › takes what was proven longer ago than the interval", (t) => {
	t.deepEqual(due(candidate(1)), ["b1 digest"]);
	t.deepEqual(due(candidate(1, { proofs: [proof("checked", 23)] })), []);
	t.deepEqual(due(candidate(1, { proofs: [proof("checked", 50), proof("answered", 1)] })), []);
});

test("dueValidations › the newest of a chain stands for those it is built on, by digests only", (t) => {
	t.deepEqual(due(candidate(1), candidate(3), candidate(2)), ["b3 digest"]);
	t.deepEqual(due(candidate(1), candidate(3, { chain: "other" })), ["b1 digest", "b3 digest"]);
	const boots = [1, 2].map((n) => candidate(n, { repeat: "boot", proofs: [proof("booted", 25)] }));
	t.deepEqual(due(...boots), ["b1 boot", "b2 boot"]);
});

test("dueValidations › a boot is not renewed by digests", (t) => {
	const proofs = [proof("booted", 30), proof("checked", 1)];
	t.deepEqual(due(candidate(1, { repeat: "boot", proofs })), ["b1 boot"]);
});

test("dueValidations › leaves alone what is busy, never repeats, or was never proven", (t) => {
	t.deepEqual(due(candidate(1, { busy: true })), []);
	t.deepEqual(due(candidate(1, { intervalMs: 0 })), []);
	t.deepEqual(due(candidate(1, { proofs: [proof("copied", 99)] })), []);
});
