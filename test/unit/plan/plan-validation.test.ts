import {
	backupValidationRequestSchema,
	isRefusal,
	planValidation,
	type Step,
	type StepKind,
	type ValidationFacts,
	type ValidationPlan,
} from "@knib/core";
import test from "ava";
import { foundIn, threeBackups } from "../../support/builders/restore.ts";

const GIB = 1 << 30;
const members = threeBackups();
const [full, , newest] = members;

const facts = (override: Partial<ValidationFacts> = {}): ValidationFacts => ({
	request: backupValidationRequestSchema.parse({
		type: "BackupValidation",
		backup: newest.manifest.identity.id,
	}),
	view: { id: newest.manifest.identity.id, vm: newest.manifest.vm, status: "BackedUp" },
	found: foundIn(members),
	steps: ["execute_command", "wait_for_boot", "screenshot"],
	policy: {},
	limits: {
		bootTimeout: 240_000,
		screenshotWait: 60_000,
		commandTimeout: 30_000,
		endChainOnFail: true,
	},
	definition: {
		xml: "<domain/>",
		fallbackXml: null,
		accelerator: "qemu",
		memory: GIB,
		dropped: ["interface (network default)"],
	},
	definitionProblem: null,
	host: {
		freeMemory: 4 * GIB,
		scratchFree: 10 * GIB,
		owner: { uid: 64055, gid: 64055, mode: 0o600 },
		obstacles: [],
	},
	machine: { nvram: true, tpm: false },
	uuid: "0196f000-0000-7000-8000-0000000000bb",
	scratch: "/scratch",
	tpmDirectory: "/tpm",
	now: "2026-01-02T03:04:05.000Z",
	...override,
});

const planned = (override: Partial<ValidationFacts> = {}): ValidationPlan => {
	const plan = planValidation(facts(override));
	if (isRefusal(plan)) throw new Error(`refused: ${plan.message}`);
	return plan;
};
const kinds = (plan: ValidationPlan): readonly StepKind[] => plan.steps.map((step) => step.kind);
const stepOf = <K extends StepKind>(plan: ValidationPlan, kind: K): Extract<Step, { kind: K }> => {
	const found = plan.steps.find((step): step is Extract<Step, { kind: K }> => step.kind === kind);
	if (found === undefined) throw new Error(`no step ${kind}`);
	return found;
};

test("planValidation › runs the offering's steps in their fixed order, between digests and the tear-down", (t) => {
	t.deepEqual(kinds(planned()), [
		"hold",
		"begin-validation",
		"verify-digests",
		"make-validation-disks",
		"boot-validation-vm",
		"wait-for-boot",
		"take-screenshot",
		"run-command",
		"tear-down",
		"record-validation",
	]);
});

test("planValidation › hashes every layer of the ancestry once, the oldest backup first", (t) => {
	const { layers } = stepOf(planned(), "verify-digests");
	const order = members.map((member) => member.manifest.identity.id);
	const ages = layers.map((layer) => order.indexOf(layer.backup));
	t.deepEqual(ages, [...ages].sort());
	t.is(new Set(layers.map((layer) => layer.path)).size, layers.length);
	t.deepEqual([...new Set(ages)], [0, 1, 2]);
});

test("planValidation › of digests only starts no VM and asks nothing of the host", (t) => {
	const request = backupValidationRequestSchema.parse({
		type: "BackupValidation",
		backup: full.manifest.identity.id,
		mode: "digest",
	});
	const plan = planned({ request, definition: null, host: null });
	t.deepEqual(kinds(plan), ["hold", "begin-validation", "verify-digests", "record-validation"]);
});

test("planValidation › the VM's disks are overlays in a directory of its own over the backup's layers", (t) => {
	const plan = planned();
	const { disks, directory, nvram } = stepOf(plan, "make-validation-disks");
	t.is(directory, `/scratch/${plan.name}`);
	t.regex(plan.name, /^knib-validate-0196f000/);
	for (const disk of disks) {
		t.true(disk.overlay.startsWith(`${directory}/`));
		t.true(disk.layer.startsWith(`${newest.path}/`));
	}
	t.is(nvram?.to, `${directory}/nvram.fd`);
});

test("planValidation › asked-for steps take the place of the offering's", (t) => {
	const request = backupValidationRequestSchema.parse({
		type: "BackupValidation",
		backup: newest.manifest.identity.id,
		steps: ["wait_for_boot"],
	});
	t.false(kinds(planned({ request })).includes("take-screenshot"));
});

test("planValidation › the VM may live no longer than its steps' limits together", (t) => {
	const policy = { backupValidationCommand: "true" };
	const { lifeMs } = stepOf(planned({ policy }), "boot-validation-vm");
	t.true(lifeMs >= 240_000 + 60_000 + 240_000 + 30_000);
	t.true(lifeMs <= 240_000 + 60_000 + 240_000 + 30_000 + 300_000);
});

const unable = (override: Partial<ValidationFacts>, words: RegExp) =>
	test(`planValidation › is unable, not refused: ${words.source}`, (t) => {
		const plan = planned(override);
		t.deepEqual(kinds(plan), ["report-obstacles"]);
		t.regex(stepOf(plan, "report-obstacles").obstacles.join("; "), words);
	});
const { host } = facts();
if (host === null) throw new Error("the builder makes a host");
unable(
	{ host: { ...host, freeMemory: GIB } },
	/needs 1024 MiB of memory and the host has 1024 MiB/,
);
unable({ host: { ...host, scratchFree: 1 } }, /has only 1 MiB free/);
unable({ host: { ...host, obstacles: ["cannot read /x"] } }, /cannot read/);
unable({ definition: null, definitionProblem: "no emulator for arm" }, /no emulator for arm/);

test("planValidation › refuses what is no restore point, and a command that cannot be read", (t) => {
	const refusal = (override: Partial<ValidationFacts>) => {
		const plan = planValidation(facts(override));
		return isRefusal(plan) ? plan.code : "none";
	};
	const view = { id: newest.manifest.identity.id, vm: newest.manifest.vm } as const;
	t.is(refusal({ view: { ...view, status: "Failed" } }), "REFUSED");
	t.is(refusal({ found: null }), "NOT_FOUND");
	const policy = { backupValidationCommand: "x", backupValidationCommandArguments: "'open" };
	t.is(refusal({ policy }), "SETTING_INVALID");
});

test("planValidation › reads the VM's own command", (t) => {
	const policy = { backupValidationCommand: "echo", backupValidationCommandArguments: "'a b' c" };
	t.deepEqual(stepOf(planned({ policy }), "run-command").command, {
		path: "echo",
		args: ["a b", "c"],
		expected: "0",
		timeoutMs: 30_000,
	});
	t.is(stepOf(planned(), "run-command").command, null);
});
