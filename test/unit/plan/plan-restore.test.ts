import {
	isRefusal,
	planRestoreNew,
	type RestoreFacts,
	type RestorePlan,
	readLayers,
	restoredBytes,
	restoreResult,
	type Step,
	type StepKind,
} from "@knib/core";
import test from "ava";
import { aLayer } from "../../support/builders/manifest.ts";
import {
	aDefinition,
	foundIn,
	NEW_VM,
	published,
	restoreFacts,
	threeBackups,
} from "../../support/builders/restore.ts";

const planned = (facts: RestoreFacts): RestorePlan => {
	const plan = planRestoreNew(facts);
	if (isRefusal(plan)) throw new Error(`refused: ${plan.message}`);
	return plan;
};

const stepOf = <K extends StepKind>(plan: RestorePlan, kind: K): Extract<Step, { kind: K }> => {
	const found = plan.steps.find((step): step is Extract<Step, { kind: K }> => step.kind === kind);
	if (found === undefined) throw new Error(`no step ${kind}`);
	return found;
};

test("planRestoreNew › holds, verifies, copies, checks, defines, in this order", (t) => {
	const plan = planned(restoreFacts());
	t.deepEqual(
		plan.steps.map((step) => step.kind),
		["hold", "verify-layers", "copy-disks", "check-disks", "define-vm"],
	);
	t.is(plan.uuid, NEW_VM);
	t.is(plan.name, "copy");
	t.not(plan.vm.uuid, plan.uuid);
});

test("planRestoreNew › starts the VM only when asked to, and waits as long as the setting says", (t) => {
	const plan = planned(restoreFacts({ request: { start: true }, agentDeadlineMs: 7000 }));
	t.is(stepOf(plan, "start-vm").agentDeadlineMs, 7000);
});

test("planRestoreNew › reads the newest layers and writes qcow2 files named after VM and disk", (t) => {
	const facts = restoreFacts({ request: { name: "web 01ü" } });
	const plan = planned(facts);
	const [vda, vdb] = stepOf(plan, "copy-disks").disks;
	t.is(vda?.path, "/vm/web_01_-vda.qcow2");
	t.is(vdb?.path, "/vm/web_01_-vdb.qcow2");
	t.is(vda?.format, "qcow2");
	t.is(vda?.layer, `${facts.found?.backup.path}/vda.qcow2`);
	t.is(vdb?.virtualSize, 1 << 30);
	t.deepEqual(
		plan.disks.map((disk) => disk.target),
		["vda", "vdb"],
	);
});

test("planRestoreNew › names the directories of the backup and its ancestors, oldest first", (t) => {
	const members = threeBackups();
	const plan = planned(restoreFacts({ found: foundIn(members) }));
	t.deepEqual(
		plan.ancestry,
		members.map((one) => one.path),
	);
});

test("planRestoreNew › reads no further back than the disks need", (t) => {
	const [first, second, third] = threeBackups();
	const whole = { ...third.manifest.generation, layers: [aLayer(), aLayer({ target: "vdb" })] };
	const grown = published({ ...third.manifest, generation: whole });
	const plan = planned(restoreFacts({ found: foundIn([first, second, grown]) }));
	t.deepEqual(plan.ancestry, [grown.path]);
});

test("planRestoreNew › gives new files the owner that was found, and copies as many at a time as the setting says", (t) => {
	const { owner, parallel } = stepOf(planned(restoreFacts({ parallelDisks: 3 })), "copy-disks");
	t.deepEqual(owner, { uid: 107, gid: 107, mode: 0o600 });
	t.is(parallel, 3);
});

test("planRestoreNew › copies NVRAM and TPM state to names that hold the new uuid", (t) => {
	const facts = restoreFacts({ machine: { nvram: true, tpm: true } });
	const plan = planned(facts);
	const from = facts.found?.backup.path;
	t.deepEqual(plan.nvram, { from: `${from}/nvram`, to: `/vm/copy-${NEW_VM}_VARS.fd` });
	t.deepEqual(plan.tpm, { from: `${from}/tpm`, to: `/var/lib/libvirt/swtpm/${NEW_VM}` });
});

test("planRestoreNew › warns of what the new VM has not, and of equal MAC addresses beside the source", (t) => {
	const definition = aDefinition({ dropped: ["hostdev (pci)"], changed: ["serial: on a pty"] });
	const plan = planned(restoreFacts({ definition, request: { keepMac: true } }));
	t.true(plan.warnings.some((text) => text.includes("hostdev (pci)")));
	t.true(plan.warnings.some((text) => text.includes("same MAC addresses")));
	t.true(plan.explain.some((line) => line.includes("serial: on a pty")));
});

test("planRestoreNew › keeps MAC addresses without a word where the source VM is gone", (t) => {
	t.deepEqual(planned(restoreFacts({ vms: [], request: { keepMac: true } })).warnings, []);
});

test("planRestoreNew › restores a backup whose ancestors are removed", (t) => {
	const [first, second, third] = threeBackups();
	const removed = { at: "2026-01-02T03:04:05.000Z", by: "root" };
	const members = [published(first.manifest, { removed }), second, third];
	t.is(planned(restoreFacts({ found: foundIn(members) })).ancestry.length, 3);
});

test("planRestoreNew › goes on with a warning where libvirt was not asked for its networks", (t) => {
	t.is(planned(restoreFacts({ networks: null })).warnings.length, 1);
});

test("planRestoreNew › warns of firmware that is not here when the VM is not to be started", (t) => {
	const definition = aDefinition({ firmware: "/usr/share/OVMF/OVMF_CODE_4M.fd" });
	const plan = planned(restoreFacts({ definition, firmwareThere: false }));
	t.true(plan.warnings[0]?.includes("OVMF_CODE_4M.fd"));
});

test("restoredBytes › counts what layers held uncompressed, and never more than the disk", (t) => {
	const members = threeBackups();
	const [vda] = readLayers(members, members[2]).disks;
	t.is(restoredBytes(vda?.layers ?? []), 210_000);
	const compressed = (vda?.layers ?? []).map((one) => ({
		...one,
		layer: { ...one.layer, compression: "zstd" as const, uncompressedSize: 100_000 },
	}));
	t.is(restoredBytes(compressed), 300_000);
	const large = compressed.map((one) => ({
		...one,
		layer: { ...one.layer, uncompressedSize: 1 << 20 },
	}));
	t.is(restoredBytes(large), 1 << 20);
});

test("restoreResult › says what was made, and null for what did not happen", (t) => {
	const plan = planned(restoreFacts());
	t.like(restoreResult(plan, {}), {
		vm: { uuid: NEW_VM, name: "copy" },
		startedAt: null,
		agentMs: null,
	});
	t.like(restoreResult(plan, { startedAt: "2026-01-02T03:04:05.000Z", agentMs: 4500 }), {
		disks: [
			{ target: "vda", path: "/vm/copy-vda.qcow2" },
			{ target: "vdb", path: "/vm/copy-vdb.qcow2" },
		],
		agentMs: 4500,
	});
});
