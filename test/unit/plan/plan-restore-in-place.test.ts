import { type InPlaceFacts, isRefusal, planKeptDisks, planRestoreInPlace } from "@knib/core";
import test from "ava";
import { aDiskOn, anOpenChain, aVm } from "../../support/builders/facts.ts";
import { MANIFEST_VM } from "../../support/builders/manifest.ts";
import { foundIn, threeBackups } from "../../support/builders/restore.ts";

const ID = "0196f000-0000-7000-8000-00000000cafe";

const place = (target: string) => ({
	target,
	path: `/vm/${target}.qcow2`,
	format: "qcow2" as const,
	old: [{ path: `/vm/${target}.qcow2`, format: "qcow2" as const }],
	lost: null,
	problem: null,
});

const facts = (override: Partial<InPlaceFacts> = {}): InPlaceFacts => {
	const { run: _run, ...off } = aVm({ uuid: MANIFEST_VM, name: "a", state: "shut off" });
	const found = foundIn(threeBackups());
	const { id } = found.backup.manifest.identity;
	return {
		request: {
			type: "Restore",
			mode: "in-place",
			backup: id,
			shutdown: false,
			start: false,
			quick: false,
		},
		id: ID,
		view: { id, vm: { uuid: MANIFEST_VM, name: "a" }, status: "BackedUp" },
		found,
		vm: off,
		disks: [],
		places: [place("vda"), place("vdb")],
		open: { ...anOpenChain(1, {}), repository: found.repository },
		strangers: [],
		record: `/vm/vda.qcow2.knib-old-${ID}.json`,
		keptBefore: [],
		free: 1 << 30,
		owner: { uid: 0, gid: 0, mode: 0o600 },
		parallelDisks: 2,
		agentDeadlineMs: 1000,
		shutdownDeadlineMs: 1000,
		quick: null,
		consolidating: false,
		...override,
	};
};

const kinds = (given: InPlaceFacts): readonly string[] => {
	const plan = planRestoreInPlace(given);
	return isRefusal(plan) ? [plan.code] : plan.steps.map((step) => step.kind);
};

test("restore in place › writes and checks beside the disks before anything is switched, and ends the chain after", (t) => {
	const expected = ["lease", "hold", "verify-layers", "copy-disks", "check-disks", "switch-disks"];
	t.deepEqual(kinds(facts()), [...expected, "end-chain"]);
});

test("restore in place › shuts down as late as it can", (t) => {
	const running = facts({
		vm: aVm({ uuid: MANIFEST_VM, run: "1@1" }),
		request: { ...facts().request, shutdown: true, start: true },
		open: null,
	});
	t.deepEqual(kinds(running).slice(-3), ["shut-down", "switch-disks", "start-vm"]);
});

test("restore in place › merges the overlays of a disk that the VM has gained", (t) => {
	const overlay = `/vm/new.qcow2.knib-${ID}.qcow2`;
	const gained = facts({ disks: [aDiskOn("vdc", [overlay, "/vm/new.qcow2"])] });
	t.is(kinds(gained).at(-1), "merge-overlays");
});

const REFUSED: readonly (readonly [string, Partial<InPlaceFacts>])[] = [
	["that runs", { vm: aVm({ run: "1@1" }) }],
	["with a saved state", { vm: { ...facts().vm, managedSave: true } }],
	["that is transient", { vm: { ...facts().vm, persistent: false } }],
	[
		"with a snapshot",
		{ vm: { ...facts().vm, snapshots: [{ name: "s", memory: false, files: [], frozen: [] }] } },
	],
	["whose old disks of an earlier restore are kept", { keptBefore: ["/vm/x.json"] }],
	[
		"whose disk another VM stands on",
		{
			strangers: [
				{ path: "/vm/vda.qcow2", file: null, vm: "b", where: "backing", writable: false },
			],
		},
	],
	[
		"with a disk on a block device",
		{ places: [{ ...place("vda"), problem: "is a block device" }] },
	],
	[
		"whose open chain is elsewhere",
		{ open: { ...anOpenChain(1, {}), repository: { id: "elsewhere", name: "other" } } },
	],
	["whose backup was removed", { view: { ...facts().view, status: "Removed" } }],
];
for (const [title, override] of REFUSED) {
	test(`restore in place › refuses a VM ${title}`, (t) => {
		t.deepEqual(kinds(facts(override)), ["REFUSED"]);
	});
}

test("restore in place › refuses when the new disks do not fit beside the old ones", (t) => {
	t.deepEqual(kinds(facts({ free: 1 })), ["STORAGE_NO_SPACE"]);
});

const kept = { record: "/vm/r.json", backup: ID, disks: [], undone: false };
const repository = { id: "r", name: "main" };

test("restore undo › needs old disks, and a VM that is off", (t) => {
	const { vm } = facts();
	const code = (given: Parameters<typeof planKeptDisks>[0]): string => {
		const plan = planKeptDisks(given);
		return isRefusal(plan) ? plan.code : plan.steps.map((step) => step.kind).join();
	};
	t.is(code({ mode: "undo", vm, kept, repository }), "undo-restore");
	t.is(code({ mode: "confirm", vm, kept, repository }), "drop-old");
	t.is(code({ mode: "undo", vm, kept: null, repository }), "NOT_FOUND");
	t.is(code({ mode: "undo", vm, kept: { ...kept, undone: true }, repository }), "NOT_FOUND");
	t.is(code({ mode: "undo", vm: { ...vm, run: "1@1" }, kept, repository }), "REFUSED");
});
