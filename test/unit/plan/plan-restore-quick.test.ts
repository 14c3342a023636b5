import {
	followUps,
	freeTarget,
	isRefusal,
	planConsolidate,
	planRestoreDisk,
	planRestoreNew,
	type QuickFacts,
	type RestoreDiskFacts,
	type Step,
} from "@knib/core";
import test from "ava";
import { aVm } from "../../support/builders/facts.ts";
import { foundIn, restoreFacts, threeBackups } from "../../support/builders/restore.ts";

const QUICK: QuickFacts = { allowed: true, obstacles: [], warnings: ["soft"], policies: {} };

const outcome = (plan: ReturnType<typeof planRestoreNew>): readonly string[] =>
	isRefusal(plan) ? [plan.code, plan.message] : plan.steps.map((step) => step.kind);

test("quick restore › starts over overlays, copies and hashes nothing, and a consolidation follows", (t) => {
	const plan = planRestoreNew(restoreFacts({ quick: QUICK, request: { quick: true } }));
	if (isRefusal(plan)) throw new Error(plan.message);
	t.deepEqual(outcome(plan), ["hold", "make-quick-disks", "define-vm", "start-vm"]);
	const made = plan.steps.find(
		(step): step is Extract<Step, { kind: "make-quick-disks" }> => step.kind === "make-quick-disks",
	);
	t.is(made?.disks[0]?.layers.length, 3);
	t.true(plan.warnings.includes("soft"));
	const offering = { compress: false, compressWhen: "after", validate: false } as const;
	t.deepEqual(followUps({ plan, outcomes: {}, offering }), [
		{ type: "Consolidate", vm: plan.uuid },
	]);
	t.deepEqual(followUps({ plan: { ...plan, quick: false }, outcomes: {}, offering }), []);
});

test("quick restore › is refused where the offering or the host does not allow it", (t) => {
	const not = planRestoreNew(restoreFacts({ quick: { ...QUICK, allowed: false } }));
	t.is(outcome(not)[0], "REFUSED");
	const obstacles = ["qemu's user cannot read /r/vda.qcow2"];
	const cannot = planRestoreNew(restoreFacts({ quick: { ...QUICK, obstacles } }));
	t.regex(outcome(cannot)[1] ?? "", /cannot read/);
});

test("planConsolidate › goes to the lane of the VM that runs, and names its limit", (t) => {
	const plan = planConsolidate({
		vm: { uuid: "u", name: "copy" },
		quick: {
			record: "/vm/x.json",
			source: "s",
			backup: "b",
			chain: "c",
			repository: { id: "r", name: "main" },
			disks: [{ target: "vda", bytes: 5 }],
		},
		rate: 1000,
	});
	t.deepEqual([plan.vm.uuid, plan.source], ["u", "s"]);
	t.regex(plan.explain.join(), /1000 bytes a second/);
});

const diskFacts = (override: Partial<RestoreDiskFacts> = {}): RestoreDiskFacts => {
	const found = foundIn(threeBackups());
	const { id } = found.backup.manifest.identity;
	return {
		request: { type: "RestoreDisk", backup: id, disk: "vdb", vm: "other", quick: false },
		view: { id, vm: { uuid: found.chain.vm, name: "a" }, status: "BackedUp" },
		found,
		vm: aVm({ name: "other" }),
		taken: ["vda"],
		target: "vdb",
		path: "/vm/other-vdb.qcow2",
		xml: "<disk/>",
		free: 1 << 30,
		owner: { uid: 0, gid: 0, mode: 0o600 },
		quick: null,
		...override,
	};
};

test("restore disk › copies one disk, checks it, and attaches it last", (t) => {
	const plan = planRestoreDisk(diskFacts());
	t.deepEqual(outcome(plan), ["hold", "verify-layers", "copy-disks", "check-disks", "attach-disk"]);
	const quick = planRestoreDisk(diskFacts({ quick: QUICK, target: "vdf" }));
	t.deepEqual(outcome(quick), ["hold", "make-quick-disks", "attach-disk"]);
	t.is(isRefusal(quick) ? "" : quick.disks[0]?.target, "vdf");
});

test("restore disk › is refused for a disk that is not there, a name that is taken, a saved VM and a full storage", (t) => {
	const { request, vm } = diskFacts();
	const codes = [
		diskFacts({ request: { ...request, disk: "vdq" } }),
		diskFacts({ request: { ...request, target: "vda" }, target: "vda" }),
		diskFacts({ vm: { ...vm, managedSave: true } }),
		diskFacts({ free: 1 }),
	].map((facts) => outcome(planRestoreDisk(facts))[0]);
	t.deepEqual(codes, ["NOT_FOUND", "EXISTS", "REFUSED", "STORAGE_NO_SPACE"]);
});

test("freeTarget › takes the first name, and goes on after z", (t) => {
	t.is(freeTarget(["vda", "vdc"]), "vdb");
	t.is(freeTarget([..."abcdefghijklmnopqrstuvwxyz"].map((one) => `vd${one}`)), "vdaa");
});
