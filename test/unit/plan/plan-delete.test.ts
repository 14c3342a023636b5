import {
	type AdmissionMember,
	type DeleteFacts,
	deleteBackupRequestSchema,
	followUpPolicySchema,
	followUps,
	isRefusal,
	membersOfChain,
	type PublishedBackup,
	planDelete,
	planUndelete,
	sweepOf,
	type TrashedBackup,
	type UndeleteFacts,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import {
	aDiskOn,
	anOpenChain,
	aVm,
	backupId,
	CHAIN,
	VM_UUID,
} from "../../support/builders/facts.ts";

/** An open chain of `count` linked members, those of `removed` marked so and those of `pinned` pinned. */
const aChain = (count: number, removed: readonly number[] = [], pinned: readonly number[] = []) => {
	const open = anOpenChain(count, { vda: "/vm/a.qcow2" });
	const mark = { at: "2026-01-02T03:04:05.000Z", by: "test" };
	const members = open.chain.members.map((member, index): PublishedBackup => {
		const before = open.chain.members[index - 1]?.manifest;
		const parent =
			before === undefined
				? null
				: { id: before.identity.id, identityDigest: before.identityDigest };
		return {
			...member,
			manifest: { ...member.manifest, parent },
			marks: {
				...member.marks,
				removed: removed.includes(index + 1) ? mark : null,
				pinned: pinned.includes(index + 1) ? mark : null,
			},
		};
	});
	return { ...open, chain: { ...open.chain, members } };
};

const facts = (
	n: number,
	open: ReturnType<typeof aChain>,
	override: Partial<DeleteFacts> = {},
): DeleteFacts => {
	const backup = open.chain.members[n - 1];
	if (backup === undefined) throw new Error("no such member");
	const { chain, repository } = open;
	return {
		request: deleteBackupRequestSchema.parse({ type: "DeleteBackup", backup: backupId(n) }),
		view: { id: backupId(n), vm: { uuid: VM_UUID, name: "web01" }, status: "BackedUp" },
		found: { backup, chain, repository },
		admission: {
			vm: VM_UUID,
			members: membersOfChain(chain),
			ended: false,
			activities: [],
			holds: [],
		},
		vm: null,
		...override,
	};
};

const planned = (given: DeleteFacts) => {
	const plan = planDelete(given);
	if (isRefusal(plan)) throw new Error(`refused: ${plan.message}`);
	return plan;
};

test("planDelete › only marks a backup that living ones stand on", (t) => {
	const plan = planned(facts(2, aChain(3)));
	t.true(plan.soft);
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["lease", "mark-removed"],
	);
	t.regex(plan.reason, /2|1 living backups stand on it/);
});

test("planDelete › sweeps the removed ancestors of a leaf up to the first living one, and ends the chain", (t) => {
	const plan = planned(facts(4, aChain(4, [2, 3])));
	t.deepEqual(plan.sweep, [4, 3, 2].map(backupId));
	t.is(plan.endsChain, "its newest backup was deleted");
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["lease", "end-chain", "trash-backups"],
	);
});

test("planDelete › leaves an ended chain as it is, and merges nothing", (t) => {
	const open = aChain(2);
	const end = { reason: "by hand", at: "2026-01-02T03:04:05.000Z", host: "h" };
	const ended = { ...open, chain: { ...open.chain, end } };
	const plan = planned(facts(2, ended));
	t.is(plan.endsChain, null);
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["lease", "trash-backups"],
	);
});

test("planDelete › merges the VM's overlays when the newest of its open chain goes", (t) => {
	const open = aChain(2);
	const overlay = `/vm/a.qcow2.knib-${backupId(2)}.qcow2`;
	const vm = { vm: aVm(), disks: [aDiskOn("vda", [overlay, "/vm/a.qcow2"])], open };
	const plan = planned(facts(2, open, { vm }));
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["lease", "end-chain", "merge-overlays", "trash-backups"],
	);
});

test("planDelete › refuses a pinned one and one that the repository holds no more", (t) => {
	const pinned = planDelete(facts(3, aChain(3, [], [3])));
	t.true(isRefusal(pinned) && pinned.code === "REFUSED" && /pinned/.test(pinned.message));
	const gone = planDelete({ ...facts(3, aChain(3)), found: null });
	t.true(isRefusal(gone) && gone.code === "NOT_FOUND");
});

test("sweepOf › never takes a living or pinned ancestor, and leaves no hole", (t) => {
	fc.assert(
		fc.property(
			fc.array(fc.record({ removed: fc.boolean(), pinned: fc.boolean() }), {
				minLength: 1,
				maxLength: 9,
			}),
			(list) => {
				const members = list.map(
					({ removed, pinned }, index): AdmissionMember => ({
						id: backupId(index + 1),
						parent: index === 0 ? null : backupId(index),
						status: removed ? "Removed" : "BackedUp",
						pinned,
						compression: "Uncompressed",
					}),
				);
				const leaf = backupId(list.length);
				const sweep = sweepOf(leaf, members);
				t.is(sweep[0], leaf);
				const kept = members.filter((one) => !sweep.includes(one.id));
				t.deepEqual(
					kept.map((one) => one.id),
					members.slice(0, kept.length).map((one) => one.id),
				);
				for (const id of sweep.slice(1)) {
					const one = members.find((member) => member.id === id);
					t.true(one?.status === "Removed" && !one.pinned);
				}
			},
		),
	);
});

const trashed = (
	n: number,
	sweep: readonly number[],
	open: ReturnType<typeof aChain>,
): TrashedBackup => {
	const manifest = open.chain.members[n - 1]?.manifest;
	return {
		entry: `entry-${n}`,
		id: backupId(n),
		chain: CHAIN,
		sequence: n,
		parent: manifest?.parent ?? null,
		sweep: sweep.map(backupId),
	};
};

const undeleteFacts = (
	n: number,
	left: number,
	open: ReturnType<typeof aChain>,
	trash: readonly TrashedBackup[],
): UndeleteFacts => {
	const chain = { ...open.chain, members: open.chain.members.slice(0, left) };
	return {
		backup: backupId(n),
		chain,
		admission: {
			vm: VM_UUID,
			members: membersOfChain(chain),
			ended: true,
			activities: [],
			holds: [],
		},
		trash,
	};
};

test("planUndelete › brings the whole sweep back, the oldest first", (t) => {
	const open = aChain(3, [2]);
	const sweep = [3, 2];
	const plan = planUndelete(
		undeleteFacts(3, 1, open, [trashed(3, sweep, open), trashed(2, sweep, open)]),
	);
	if (isRefusal(plan)) throw new Error(plan.message);
	t.deepEqual(
		plan.entries.map((one) => one.id),
		[2, 3].map(backupId),
	);
});

test("planUndelete › refuses when an ancestor of the same sweep is gone, or the parent is in the trash", (t) => {
	const open = aChain(3, [2]);
	const gone = planUndelete(undeleteFacts(3, 1, open, [trashed(3, [3, 2], open)]));
	t.true(isRefusal(gone) && /is gone from the trash/.test(gone.message));
	const two = planUndelete(
		undeleteFacts(3, 1, open, [trashed(3, [3], open), trashed(2, [2], open)]),
	);
	t.true(isRefusal(two) && String(two.details["hint"]).includes(backupId(2)));
});

test("planUndelete › only takes the mark away from a backup that is still in its chain", (t) => {
	const open = aChain(3, [2]);
	const plan = planUndelete(undeleteFacts(2, 3, open, []));
	t.true(!isRefusal(plan) && plan.entries.length === 0);
	const living = planUndelete(undeleteFacts(1, 3, open, []));
	t.true(isRefusal(living) && living.code === "REFUSED");
	const unknown = planUndelete(undeleteFacts(9, 3, open, []));
	t.true(isRefusal(unknown) && unknown.code === "NOT_FOUND");
});

const after = (type: "Backup" | "StartCompression" | "FinalizeCompression", kept: boolean) =>
	followUps({
		plan: { type, backup: backupId(1) },
		outcomes: {
			compressed: [{ target: "vda", library: "zstd", allocated: 1, kept }],
		},
		offering: followUpPolicySchema.parse({ compress: true, validate: true }),
	}).map((request) => request.type);

test("followUps › compresses after the backup, then switches, then validates", (t) => {
	t.deepEqual(after("Backup", true), ["StartCompression"]);
	t.deepEqual(after("StartCompression", true), ["FinalizeCompression"]);
	t.deepEqual(after("StartCompression", false), ["BackupValidation"]);
	const plain = followUpPolicySchema.parse({ validate: true });
	const plan = { type: "Backup", backup: backupId(1) } as const;
	t.deepEqual(
		followUps({ plan, outcomes: {}, offering: plain }).map((request) => request.type),
		["BackupValidation"],
	);
	const during = followUpPolicySchema.parse({ compress: true, compressWhen: "during" });
	t.deepEqual(followUps({ plan, outcomes: {}, offering: during }), []);
});
