import {
	type BackupFacts,
	type BackupPlan,
	backupRequestSchema,
	isRefusal,
	overlayPath,
	planBackup,
	type Step,
	type StepKind,
} from "@knib/core";
import test from "ava";
import {
	aDisk,
	aDiskOn,
	anImage,
	anOpenChain,
	aVm,
	backupId,
	someFacts,
} from "../../support/builders/facts.ts";

const planned = (facts: BackupFacts): BackupPlan => {
	const plan = planBackup(facts);
	if (isRefusal(plan)) throw new Error(`refused: ${plan.message}`);
	return plan;
};

const kinds = (plan: BackupPlan): readonly StepKind[] => plan.steps.map((step) => step.kind);

const stepOf = <K extends StepKind>(plan: BackupPlan, kind: K): Extract<Step, { kind: K }> => {
	const found = plan.steps.find((step): step is Extract<Step, { kind: K }> => step.kind === kind);
	if (found === undefined) throw new Error(`no step ${kind}`);
	return found;
};

const overlay = (n: number, base = "/vm/a.qcow2"): string => overlayPath(base, "vda", backupId(n));

/** Facts of a VM whose open chain has `count` members and one overlay on /vm/a.qcow2. */
const inChain = (count: number, override: Partial<BackupFacts> = {}): BackupFacts =>
	someFacts({
		disks: [aDiskOn("vda", [overlay(count), "/vm/a.qcow2"])],
		open: anOpenChain(count, { vda: "/vm/a.qcow2" }),
		...override,
	});

test("planBackup › opens a chain with a full that leaves one overlay", (t) => {
	const plan = planned(someFacts());
	t.is(plan.kind, "full");
	t.is(plan.reason, "full: the VM has no open chain");
	t.is(plan.sequence, 1);
	t.deepEqual(kinds(plan), [
		"lease",
		"make-overlays",
		"switch-overlays",
		"copy-layers",
		"check-layers",
		"save-machine",
		"publish",
		"confirm",
		"record-tracker",
	]);
	t.is(stepOf(plan, "copy-layers").layers[0]?.mode, "whole");
});

test("planBackup › continues an open chain and merges the older overlay only after publication", (t) => {
	const plan = planned(inChain(1));
	t.is(plan.kind, "incremental");
	t.is(plan.reason, "incremental: 2 of 8 in its chain");
	t.is(plan.parent?.id, backupId(1));
	const [layer] = stepOf(plan, "copy-layers").layers;
	t.deepEqual(layer?.images, [{ path: overlay(1), format: "qcow2" }]);
	t.is(layer?.parent, `0001-${backupId(1)}`);
	const [merge] = stepOf(plan, "merge-overlays").merges;
	t.is(merge?.top, overlay(1));
	t.is(merge?.base.path, "/vm/a.qcow2");
	t.true(kinds(plan).indexOf("confirm") < kinds(plan).indexOf("merge-overlays"));
});

test("planBackup › ends the chain at its size and merges every overlay", (t) => {
	const plan = planned(inChain(2, { chainSize: 3 }));
	t.is(plan.kind, "incremental");
	t.is(plan.endsChain, "chain reached 3 of 3");
	const [merge] = stepOf(plan, "merge-overlays").merges;
	t.deepEqual(merge?.overlays, [overlay(500), overlay(2)]);
	t.false(kinds(plan).includes("record-tracker"));
});

test("planBackup › ends a chain that is longer than a size lowered since", (t) => {
	t.is(planned(inChain(5, { chainSize: 3 })).endsChain, "chain reached 6 of 3");
});

test("planBackup › never ends an endless chain, and always makes fulls with size 1", (t) => {
	t.is(planned(inChain(40, { chainSize: 0 })).endsChain, null);
	const always = planned(someFacts({ chainSize: 1 }));
	t.is(always.kind, "full");
	t.is(always.endsChain, "chain reached 1 of 1");
	t.false(always.tracked);
});

test("planBackup › takes every layer above the parent's frozen one, bottom first", (t) => {
	const paths = ["/vm/snap2", "/vm/snap1", overlay(1), "/vm/a.qcow2"];
	const plan = planned(inChain(1, { disks: [aDiskOn("vda", paths)] }));
	const [layer] = stepOf(plan, "copy-layers").layers;
	t.deepEqual(
		layer?.images.map((image) => image.path),
		[overlay(1), "/vm/snap1", "/vm/snap2"],
	);
});

test("planBackup › includes the overlay of a failed backup that could not be rolled back", (t) => {
	const paths = [overlay(77), overlay(1), "/vm/a.qcow2"];
	const plan = planned(inChain(1, { disks: [aDiskOn("vda", paths)] }));
	const [layer] = stepOf(plan, "copy-layers").layers;
	t.deepEqual(
		layer?.images.map((image) => image.path),
		[overlay(1), overlay(77)],
	);
	t.deepEqual(stepOf(plan, "merge-overlays").merges[0]?.overlays, [overlay(77), overlay(1)]);
});

test("planBackup › merges the overlays of disks that are left out of a new chain", (t) => {
	const request = backupRequestSchema.parse({ type: "Backup", vm: "web01", disks: ["vda"] });
	const disks = [
		aDiskOn("vda", [overlay(1), "/vm/a.qcow2"]),
		aDiskOn("vdb", [overlay(1), "/vm/b.qcow2"]),
	];
	const { merges } = stepOf(planned(inChain(1, { request, disks })), "merge-overlays");
	t.deepEqual(
		merges.map((merge) => [merge.target, merge.base.path, merge.overlays]),
		[
			["vda", "/vm/a.qcow2", [overlay(1)]],
			["vdb", "/vm/b.qcow2", [overlay(1)]],
		],
	);
});

test("planBackup › leaves the layers as it found them after an isolated backup", (t) => {
	const request = backupRequestSchema.parse({ type: "Backup", vm: "web01", isolated: true });
	const plan = planned(inChain(2, { request }));
	t.is(plan.kind, "isolated");
	t.is(plan.parent, null);
	t.not(plan.chain, inChain(2).open?.chain.id);
	const [merge] = stepOf(plan, "merge-overlays").merges;
	t.deepEqual(merge?.overlays, [overlay(500)]);
	t.is(merge?.base.path, overlay(2));
	t.false(kinds(plan).includes("end-chain"));
	t.false(kinds(plan).includes("record-tracker"));
});

test("planBackup › only reads a VM with a managed-save image", (t) => {
	const { run: _run, ...off } = aVm({ managedSave: true, state: "shut off" });
	const plan = planned(inChain(2, { vm: off }));
	t.is(plan.kind, "isolated");
	t.is(plan.consistency, "saved state not included");
	t.false(kinds(plan).includes("make-overlays"));
	t.false(kinds(plan).includes("merge-overlays"));
});

const second = (n: number): string => overlayPath("/vm/b.qcow2", "vdb", backupId(n));
const bothOpen = anOpenChain(2, { vda: "/vm/a.qcow2", vdb: "/vm/b.qcow2" });
const vda = aDiskOn("vda", [overlay(2), "/vm/a.qcow2"]);

const goesOn = test.macro<[Partial<BackupFacts>, string, readonly (readonly [string, string])[]]>({
	exec: (t, override, reason, modes) => {
		const plan = planned(inChain(2, override));
		t.is(plan.kind, "incremental");
		t.is(plan.reason, `incremental: 3 of 8 in its chain; ${reason}`);
		const { layers } = stepOf(plan, "copy-layers");
		t.deepEqual(
			layers.map(({ target, mode }) => [target, mode]),
			modes.map(([target, mode]) => [target, mode]),
		);
		t.true(layers.every(({ mode, parent }) => (mode === "whole") === (parent === null)));
	},
	title: (name) => `planBackup › goes on with the other disks ${name}`,
});

test(
	"when one was attached",
	goesOn,
	{ disks: [vda, aDiskOn("vdb", ["/vm/b.qcow2"])] },
	"vdb in full: vdb was not part of the previous backup",
	[
		["vda", "increment"],
		["vdb", "whole"],
	],
);
test(
	"when one was resized",
	goesOn,
	{ disks: [vda, aDiskOn("vdb", [second(2), "/vm/b.qcow2"], 1 << 31)], open: bothOpen },
	"vdb in full: vdb was resized",
	[
		["vda", "increment"],
		["vdb", "whole"],
	],
);
test(
	"when one was detached",
	goesOn,
	{ disks: [vda], open: bothOpen },
	"vdb is no longer part of the backup",
	[["vda", "increment"]],
);

test("planBackup › merges the overlay of a disk that left, of no other", (t) => {
	const plan = planned(inChain(2, { disks: [vda], open: bothOpen }));
	const [merge, ...more] = stepOf(plan, "merge-detached").disks;
	t.is(merge?.overlay.path, second(2));
	t.is(merge?.base.path, "/vm/b.qcow2");
	t.deepEqual(more, []);
	const moved = aDiskOn("vdc", [second(2), "/vm/b.qcow2"]);
	const other = planned(inChain(2, { disks: [vda, moved], open: bothOpen }));
	t.false(kinds(other).includes("merge-detached"), "it stands below another target");
	const isolated = backupRequestSchema.parse({ type: "Backup", vm: "web01", isolated: true });
	const alone = planned(inChain(2, { disks: [vda], open: bothOpen, request: isolated }));
	t.false(kinds(alone).includes("merge-detached"));
});

const full = test.macro<[Partial<BackupFacts>, RegExp]>({
	exec: (t, override, reason) => {
		const plan = planned(inChain(2, override));
		t.is(plan.kind, "full");
		t.regex(plan.reason, reason);
		t.true(kinds(plan).includes("end-chain"));
	},
	title: (name) => `planBackup › makes a full ${name}`,
});

test(
	"when the overlay is gone",
	full,
	{ disks: [aDiskOn("vda", ["/vm/a.qcow2"])] },
	/full: overlay of vda is gone/,
);
test(
	"when the disk was resized",
	full,
	{ disks: [aDiskOn("vda", [overlay(2), "/vm/a.qcow2"], 1 << 31)] },
	/full: vda was resized/,
);
test(
	"when the parent's layer is not what was published",
	full,
	{
		open: {
			...anOpenChain(2, { vda: "/vm/a.qcow2" }),
			parentProblems: ["vda.qcow2 was truncated"],
		},
	},
	/vda.qcow2 was truncated/,
);
test(
	"when the tracker's record is missing",
	full,
	{ open: anOpenChain(2, { vda: "/vm/a.qcow2" }, { tracker: null }) },
	/what the tracker recorded is missing/,
);

const refused = test.macro<[Partial<BackupFacts>, string]>({
	exec: (t, override, code) => {
		const plan = planBackup(someFacts(override));
		t.true(isRefusal(plan) && plan.code === code);
	},
	title: (name) => `planBackup › refuses ${name}`,
});

const encrypted = { ...aDiskOn("vda", ["/vm/a.qcow2"]), disk: aDisk({ encrypted: true }) };
test("an encrypted disk", refused, { disks: [encrypted] }, "DISK_UNSUPPORTED");
test(
	"a format that would have to be probed",
	refused,
	{ disks: [{ ...aDiskOn("vda", ["/vm/a.vmdk"]), disk: aDisk({ format: "vmdk" }) }] },
	"DISK_UNSUPPORTED",
);
test("a VM without a disk to back up", refused, { disks: [] }, "REFUSED");
test("a transient VM", refused, { vm: aVm({ persistent: false }) }, "VM_STATE");
test(
	"quiescing without an agent that answers",
	refused,
	{
		request: backupRequestSchema.parse({ type: "Backup", vm: "web01", quiesce: true }),
		agentAnswers: false,
	},
	"AGENT_SILENT",
);
test(
	"a disk that the VM does not have",
	refused,
	{ request: backupRequestSchema.parse({ type: "Backup", vm: "web01", disks: ["vdz"] }) },
	"USAGE",
);

test("planBackup › lists what it skips and warns of internal snapshots", (t) => {
	const cdrom = {
		...aDiskOn("sda", []),
		disk: aDisk({ target: "sda", device: "cdrom" as const }),
		images: [],
	};
	const shared = {
		...aDiskOn("vdb", ["/vm/b.qcow2"]),
		disk: aDisk({ target: "vdb", shareable: true }),
	};
	const root = {
		...aDiskOn("vda", ["/vm/a.qcow2"]),
		images: [anImage({ snapshots: ["before-upgrade"] })],
	};
	const plan = planned(someFacts({ disks: [root, cdrom, shared] }));
	t.deepEqual(
		plan.skipped.map((disk) => disk.target),
		["sda", "vdb"],
	);
	t.is(plan.warnings.length, 2);
	t.regex(plan.warnings.join("\n"), /internal snapshots of vda/);
});

const nowhere = {
	refused: true,
	code: "REPOSITORY_UNREACHABLE",
	message: "selector x names repository nas, which cannot take a new chain: gone",
	details: {},
} as const;

test("planBackup › a new chain without a place is refused, an open one goes on and says so", (t) => {
	const refused = planBackup(someFacts({ repository: nowhere }));
	t.is(isRefusal(refused) ? refused.code : "", "REPOSITORY_UNREACHABLE");
	const plan = planned(inChain(1, { repository: nowhere }));
	t.is(plan.kind, "incremental");
	t.regex(
		plan.explain.join(),
		/repository main: its chain is there; the next chain: none: selector/,
	);
	const request = backupRequestSchema.parse({ type: "Backup", vm: "web01", isolated: true });
	t.true(isRefusal(planBackup(inChain(1, { repository: nowhere, request }))));
});

test("planBackup › says where the repository of a new chain comes from, and of the next one", (t) => {
	const repository = { id: backupId(9), name: "nas", reason: "selector x names it" };
	t.true(
		planned(someFacts({ repository })).explain.includes("repository nas: selector x names it"),
	);
	t.true(
		planned(inChain(1, { repository })).explain.includes(
			"repository main: its chain is there; the next chain: nas: selector x names it",
		),
	);
});
