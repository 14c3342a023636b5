import {
	type Action,
	type Activity,
	type AdmissionFacts,
	type AdmissionMember,
	activitiesOf,
	admit,
	ancestorsOf,
	blockedActions,
	blockedOfChain,
	descendantsOf,
	jobTypeSchema,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { backupId, VM_UUID } from "../../support/builders/facts.ts";

const member = (n: number, override: Partial<AdmissionMember> = {}): AdmissionMember => ({
	id: backupId(n),
	parent: n === 1 ? null : backupId(n - 1),
	status: "BackedUp",
	pinned: false,
	compression: "Uncompressed",
	...override,
});

const doing = (type: Activity["type"], backup: number | null): Activity => ({
	type,
	job: backupId(700),
	vm: VM_UUID,
	backup: backup === null ? null : backupId(backup),
	isolated: false,
});

const facts = (override: Partial<AdmissionFacts> = {}): AdmissionFacts => ({
	vm: VM_UUID,
	members: [member(1), member(2), member(3)],
	ended: false,
	activities: [],
	holds: [],
	...override,
});

const reasons = (action: Action, n: number, given: AdmissionFacts): string =>
	admit(action, backupId(n), given)
		.map((one) => `${one.code} ${one.reason}`)
		.join("; ");

test("admission › knows ancestors nearest first, and every descendant", (t) => {
	const { members } = facts();
	t.deepEqual(
		ancestorsOf(backupId(3), members).map((one) => one.id),
		[backupId(2), backupId(1)],
	);
	t.deepEqual(
		descendantsOf(backupId(1), members).map((one) => one.id),
		[backupId(2), backupId(3)],
	);
});

test("admission › lets everything be done with a backup that nothing uses", (t) => {
	for (const action of ["restore", "validate", "compress", "finalize", "delete", "pin"] as const) {
		t.is(reasons(action, 2, facts()), "", action);
	}
});

test("admission › refuses a deletion while the backup, an ancestor or a descendant is worked on", (t) => {
	for (const type of [
		"StartCompression",
		"FinalizeCompression",
		"BackupValidation",
		"Restore",
		"ExtractFiles",
	] as const) {
		for (const busy of [1, 2, 3]) {
			const found = reasons("delete", 2, facts({ activities: [doing(type, busy)] }));
			t.regex(found, /^BACKUP_BUSY it(s (ancestor|descendant) \w+)? is being /, `${type} ${busy}`);
		}
	}
});

test("admission › never lets a pinned backup go, nor one that is removed already", (t) => {
	const pinned = facts({ members: [member(1, { pinned: true }), member(2)] });
	t.is(reasons("delete", 1, pinned), "REFUSED it is pinned");
	const removed = facts({ members: [member(1, { status: "Removed" }), member(2)] });
	t.is(reasons("delete", 1, removed), "REFUSED it is removed already");
	t.is(reasons("undelete", 1, removed), "");
	t.is(reasons("undelete", 2, removed), "REFUSED it is not removed");
	t.is(reasons("restore", 1, removed), "REFUSED it is Removed");
});

test("admission › lets phase 2 wait for readers of the backup and of its descendants only", (t) => {
	const restoring = (n: number) => facts({ activities: [doing("Restore", n)] });
	t.is(reasons("finalize", 2, restoring(1)), "");
	t.regex(reasons("finalize", 2, restoring(2)), /^BACKUP_BUSY it is being restored/);
	t.regex(reasons("finalize", 2, restoring(3)), /^BACKUP_BUSY its descendant .* is being restored/);
});

test("admission › lets phase 2 wait for a running backup on the open chain and for holds", (t) => {
	const backing = facts({ activities: [doing("Backup", 99)] });
	t.regex(reasons("finalize", 1, backing), /running backup of its VM/);
	t.is(reasons("finalize", 1, { ...backing, ended: true }), "");
	const isolated = facts({ activities: [{ ...doing("Backup", 99), isolated: true }] });
	t.is(reasons("finalize", 1, isolated), "");
	t.regex(reasons("finalize", 1, facts({ holds: ["restore"] })), /its chain is held: restore/);
});

test("admission › does not let the asking job stand in its own way", (t) => {
	const activities = [doing("FinalizeCompression", 2)];
	t.not(reasons("finalize", 2, facts({ activities })), "");
	t.is(reasons("finalize", 2, facts({ activities, self: backupId(700) })), "");
});

test("admission › says what is blocked, with the reasons", (t) => {
	const given = facts({ members: [member(1, { pinned: true, compression: "Compressed" })] });
	t.deepEqual(blockedActions(backupId(1), given), [
		{ action: "compress", reason: "it is compressed already" },
		{ action: "delete", reason: "it is pinned" },
	]);
	t.is(
		blockedOfChain(given, "finished by hand")[0]?.reason,
		"the chain has ended: finished by hand",
	);
});

test("admission › reads activities from executing jobs alone", (t) => {
	const job = { id: backupId(1), type: "Backup", vm: { uuid: VM_UUID }, backup: null } as const;
	const jobs = ["waiting", "executing", "succeeded"].map((state) => ({ ...job, state }));
	t.is(activitiesOf(jobs).length, 1);
	t.true(activitiesOf([{ ...job, state: "executing", request: { isolated: true } }])[0]?.isolated);
});

test("admission › a deletion is never admitted while phase 2 of a relative or a reader runs", (t) => {
	const activity = fc.record({
		type: fc.constantFrom(...jobTypeSchema.options),
		backup: fc.integer({ min: 1, max: 6 }),
	});
	fc.assert(
		fc.property(fc.array(activity, { maxLength: 4 }), fc.integer({ min: 1, max: 6 }), (list, n) => {
			const given = facts({
				members: Array.from({ length: 6 }, (_, index) => member(index + 1)),
				activities: list.map((one) => doing(one.type, one.backup)),
			});
			const used = list.some((one) =>
				["FinalizeCompression", "StartCompression", "BackupValidation", "Restore"].includes(
					one.type,
				),
			);
			t.true(!used || reasons("delete", n, given) !== "");
		}),
	);
});
