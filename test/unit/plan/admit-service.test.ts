import {
	admitServices,
	type RunningService,
	type ServiceFacts,
	type ServiceJob,
	type ServiceType,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { backupId } from "../../support/builders/facts.ts";

const NOW = "2026-01-02T03:04:05.000Z";
const LATER = "2026-01-02T04:00:00.000Z";
const none = { enabled: true, perHost: 0, overall: 0 };

const job = (n: number, override: Partial<ServiceJob> = {}): ServiceJob => ({
	id: backupId(n),
	type: "StartCompression",
	vm: `vm${n}`,
	createdAt: NOW,
	scheduledAt: null,
	reason: null,
	hosts: ["a"],
	...override,
});

const running = (n: number, type: ServiceType, host = "a"): RunningService => ({
	id: backupId(n),
	type,
	vm: `vm${n}`,
	host,
});

const facts = (override: Partial<ServiceFacts>): ServiceFacts => ({
	now: NOW,
	waiting: [],
	running: [],
	compression: none,
	validation: none,
	...override,
});

const started = (given: ServiceFacts): readonly string[] =>
	admitServices(given).flatMap((one) => (one.start ? [one.id] : []));

const reasonOf = (given: ServiceFacts, n: number): string => {
	const found = admitServices(given).find((one) => one.id === backupId(n));
	return found === undefined || found.start ? "" : found.reason;
};

test("admitServices › keeps the limit of a host and the limit over all hosts", (t) => {
	const waiting = [1, 2, 3, 4, 5].map((n) => job(n, { hosts: ["a", "b", "c"] }));
	const compression = { enabled: true, perHost: 1, overall: 2 };
	const given = facts({ waiting, compression });
	t.deepEqual(started(given), [backupId(1), backupId(2)]);
	t.is(reasonOf(given, 3), "waits: 2 of 2 compressions run on all hosts");
	t.is(started(facts({ waiting, compression: { ...compression, overall: 0 } })).length, 3);
});

test("admitServices › lets finalise jobs pass every limit and the switch", (t) => {
	const waiting = [
		job(1, { type: "FinalizeCompression" }),
		job(2, { type: "FinalizeCompression" }),
	];
	const compression = { enabled: false, perHost: 1, overall: 1 };
	const given = facts({ waiting, compression, running: [running(9, "StartCompression")] });
	t.is(started(given).length, 2);
});

test("admitServices › runs one service job for each VM", (t) => {
	const waiting = [job(1, { vm: "web" }), job(2, { vm: "web", type: "BackupValidation" })];
	const given = facts({ waiting });
	t.deepEqual(started(given), [backupId(1)]);
	t.regex(reasonOf(given, 2), /^waits for StartCompression of the same VM/);
});

test("admitServices › takes the host with the least work", (t) => {
	const given = facts({
		waiting: [job(1, { hosts: ["a", "b"] })],
		running: [running(8, "BackupValidation", "a")],
	});
	const [decision] = admitServices(given);
	t.true(decision?.start === true && decision.host === "b");
});

test("admitServices › leaves a job alone until its time, with the reason it was put off for", (t) => {
	const given = facts({
		waiting: [job(1, { scheduledAt: LATER, reason: "attempt 1 of 2 failed" })],
	});
	t.is(reasonOf(given, 1), "attempt 1 of 2 failed");
	t.deepEqual(started({ ...given, now: LATER }), [backupId(1)]);
});

test("admitServices › says which switch is off", (t) => {
	const given = facts({ waiting: [job(1)], compression: { ...none, enabled: false } });
	t.is(reasonOf(given, 1), "backup.compression.task.enabled is off");
});

test("admitServices › never goes over a limit, and decides every job once", (t) => {
	const types: ServiceType[] = ["StartCompression", "FinalizeCompression", "BackupValidation"];
	const aJob = fc.record({
		type: fc.constantFrom(...types),
		vm: fc.constantFrom("v1", "v2", "v3", "v4"),
		hosts: fc.subarray(["a", "b", "c"]),
	});
	const limit = fc.record({
		enabled: fc.boolean(),
		perHost: fc.integer({ min: 0, max: 2 }),
		overall: fc.integer({ min: 0, max: 3 }),
	});
	fc.assert(
		fc.property(
			fc.array(aJob, { maxLength: 12 }),
			limit,
			limit,
			(list, compression, validation) => {
				const waiting = list.map((one, index) => job(index + 1, one));
				const decisions = admitServices(facts({ waiting, compression, validation }));
				t.is(new Set(decisions.map((one) => one.id)).size, waiting.length);
				const going = decisions.flatMap((one) => {
					const of = waiting.find((candidate) => candidate.id === one.id);
					return one.start && of !== undefined ? [{ ...of, host: one.host }] : [];
				});
				t.is(new Set(going.map((one) => one.vm)).size, going.length);
				for (const [type, limits] of [
					["StartCompression", compression],
					["BackupValidation", validation],
				] as const) {
					const same = going.filter((one) => one.type === type);
					if (!limits.enabled) t.is(same.length, 0);
					if (limits.overall > 0) t.true(same.length <= limits.overall);
					for (const host of ["a", "b", "c"]) {
						const here = same.filter((one) => one.host === host).length;
						if (limits.perHost > 0) t.true(here <= limits.perHost);
					}
				}
			},
		),
	);
});
