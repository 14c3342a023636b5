// Decides a validation: which files are hashed, what is booted, which steps are run, and what stands in the way (SPEC 5). Pure.
import { EXPECT_SUCCESS, splitArguments } from "../domain/guest-command.ts";
import { orderedSteps, type ValidationStep } from "../domain/offering.ts";
import { asKnibError } from "../errors.ts";
import { type Refusal, refuse, type ValidationPlan } from "./plan.ts";
import { type LayerRead, type RestoreReads, readLayers } from "./read-layers.ts";
import type { FoundBackup } from "./restore-facts.ts";
import type { DigestPlan, GuestCommandPlan, Step } from "./steps.ts";
import { type ValidationFacts, validationNames } from "./validation-facts.ts";

/** Memory that the host keeps for itself beside a throw-away VM and its emulator, bytes. */
const MEMORY_RESERVE = 256 * 1024 * 1024;
/** Least free space for the overlays of a throw-away VM, bytes. */
const SCRATCH_RESERVE = 256 * 1024 * 1024;
/** What starting, one screenshot and tearing down may take beside the steps' own limits, ms. */
const OVERHEAD_MS = 120_000;

/** Every layer that the backup stands on, each file once: ancestors first, disks by name. */
export const digestPlans = (found: FoundBackup, reads: RestoreReads): readonly DigestPlan[] => {
	const order = found.chain.members.map(({ manifest }) => manifest.identity.id);
	const files = new Map<string, LayerRead>();
	for (const { layers } of reads.disks) for (const read of layers) files.set(read.path, read);
	return [...files.values()]
		.sort((a, b) => {
			const age = order.indexOf(a.backup) - order.indexOf(b.backup);
			return age !== 0 ? age : a.target < b.target ? -1 : 1;
		})
		.map(({ path, target, backup, layer }) => ({
			path,
			target,
			backup,
			size: layer.size,
			sha256: layer.sha256,
		}));
};

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`;

/** What of this host stands in the way, in words: our own trouble, not the backup's. */
const obstaclesOf = (facts: ValidationFacts): readonly string[] => {
	const { definition, host } = facts;
	if (facts.request.mode === "digest") return [];
	if (definition === null || host === null) {
		return [
			`no VM can be made from the backup's definition: ${facts.definitionProblem ?? "unknown"}`,
		];
	}
	const needed = definition.memory + MEMORY_RESERVE;
	return [
		...(needed > host.freeMemory
			? [
					`the VM needs ${mebibytes(definition.memory)} of memory and the host has ${mebibytes(host.freeMemory)} free (\`backup.validation.memory.limit\` makes it smaller)`,
				]
			: []),
		...(host.scratchFree < SCRATCH_RESERVE
			? [`${facts.scratch} has only ${mebibytes(host.scratchFree)} free`]
			: []),
		...host.obstacles,
	];
};

const commandOf = (facts: ValidationFacts): GuestCommandPlan | Refusal | null => {
	const { policy, limits } = facts;
	if (policy.backupValidationCommand === undefined) return null;
	try {
		return {
			path: policy.backupValidationCommand,
			args: splitArguments(policy.backupValidationCommandArguments ?? ""),
			expected: policy.backupValidationCommandExpectedResult ?? EXPECT_SUCCESS,
			timeoutMs: limits.commandTimeout,
		};
	} catch (thrown) {
		const { code, message, details } = asKnibError(thrown);
		return refuse(code, message, details);
	}
};

const guestSteps = (
	facts: ValidationFacts,
	wanted: readonly ValidationStep[],
	command: GuestCommandPlan | null,
): readonly Step[] => {
	const { bootTimeout, screenshotWait } = facts.limits;
	const steps: Readonly<Record<ValidationStep, Step>> = {
		wait_for_boot: { kind: "wait-for-boot", timeoutMs: bootTimeout },
		screenshot: { kind: "take-screenshot", waitMs: screenshotWait },
		execute_command: { kind: "run-command", command, bootTimeoutMs: bootTimeout },
	};
	return wanted.map((step) => steps[step]);
};

/** The longest that the throw-away VM may live, ms. */
const lifeOf = (steps: readonly Step[]): number =>
	steps.reduce((sum, step) => {
		if (step.kind === "wait-for-boot") return sum + step.timeoutMs;
		if (step.kind === "take-screenshot") return sum + step.waitMs;
		if (step.kind !== "run-command" || step.command === null) return sum;
		return sum + step.bootTimeoutMs + step.command.timeoutMs;
	}, OVERHEAD_MS);

const bootSteps = (
	facts: ValidationFacts,
	found: FoundBackup,
	guest: readonly Step[],
): readonly Step[] => {
	const { definition, host, machine, tpmDirectory, uuid } = facts;
	if (definition === null || host === null) return [];
	const { directory } = validationNames(facts.scratch, uuid);
	const { path } = found.backup;
	const { layers } = found.backup.manifest.generation;
	return [
		{
			kind: "make-validation-disks",
			directory,
			owner: host.owner,
			disks: layers.map(({ target, file, virtualSize }) => ({
				target,
				layer: `${path}/${file}`,
				overlay: `${directory}/${target}.qcow2`,
				size: virtualSize,
			})),
			nvram: machine.nvram ? { from: `${path}/nvram`, to: `${directory}/nvram.fd` } : null,
			tpm: machine.tpm ? { from: `${path}/tpm`, to: `${tpmDirectory}/${uuid}` } : null,
		},
		{
			kind: "boot-validation-vm",
			uuid,
			xml: definition.xml,
			fallbackXml: definition.fallbackXml,
			accelerator: definition.accelerator,
			lifeMs: lifeOf(guest),
		},
		...guest,
		{ kind: "tear-down" },
	];
};

const refusalOf = ({ view, found }: ValidationFacts): Refusal | undefined => {
	const readable = view.status === "BackedUp" || view.status === "Restoring";
	const removed = found !== null && found.backup.marks.removed !== null;
	if (!readable || removed) {
		const status = removed ? "Removed" : view.status;
		return refuse(
			"REFUSED",
			`backup ${view.id} of ${view.vm.name} is ${status}: nothing to validate`,
		);
	}
	if (found !== null) return undefined;
	return refuse("NOT_FOUND", `no repository of this host holds backup ${view.id}`, {
		hint: "read the repository again with `knib repository rescan`",
	});
};

type Decided = {
	readonly found: FoundBackup;
	readonly reads: RestoreReads;
	readonly obstacles: readonly string[];
	readonly guest: readonly Step[];
};

const stepsOf = (facts: ValidationFacts, decided: Decided): readonly Step[] => {
	const { found, reads, obstacles, guest } = decided;
	if (obstacles.length > 0) return [{ kind: "report-obstacles", obstacles }];
	return [
		{ kind: "hold" },
		{ kind: "begin-validation" },
		{
			kind: "verify-digests",
			layers: digestPlans(found, reads),
			problems: [...reads.problems, ...found.layerProblems],
		},
		...(facts.request.mode === "digest" ? [] : bootSteps(facts, found, guest)),
		{ kind: "record-validation" },
	];
};

const explainOf = (facts: ValidationFacts, decided: Decided): readonly string[] => {
	const { reads, obstacles, guest } = decided;
	const names = guest.map((step) => step.kind).join(", ");
	return [
		`${reads.ancestry.length} backups of the chain are hashed, the oldest first`,
		...(facts.request.mode === "digest"
			? ["no VM is started: digests only"]
			: [
					`a throw-away VM without network is started (${facts.definition?.accelerator ?? "not"}): ${names}`,
				]),
		...(facts.definition?.dropped ?? []).map((one) => `not in the throw-away VM: ${one}`),
		...obstacles.map((one) => `in the way: ${one}`),
	];
};

/** Decides a validation. Refuses with NOT_FOUND, REFUSED and SETTING_INVALID; what of this host is in the way becomes a plan that only says so, since it makes the backup UnableToValidate. */
export const planValidation = (facts: ValidationFacts): ValidationPlan | Refusal => {
	const refusal = refusalOf(facts);
	if (refusal !== undefined) return refusal;
	const { found, request, view, uuid } = facts;
	if (found === null) return refuse("INTERNAL", `backup ${view.id} was neither found nor refused`);
	const command = commandOf(facts);
	if (command !== null && "refused" in command) return command;
	const wanted = orderedSteps(request.steps ?? facts.steps);
	const guest = request.mode === "digest" ? [] : guestSteps(facts, wanted, command);
	const reads = readLayers(found.chain.members, found.backup);
	const decided: Decided = { found, reads, obstacles: obstaclesOf(facts), guest };
	const { manifest, marks } = found.backup;
	const { name, directory } = validationNames(facts.scratch, uuid);
	return {
		type: "BackupValidation",
		vm: { uuid: found.chain.vm, name: manifest.vm.name },
		repository: found.repository,
		reason: `validation of backup ${manifest.identity.id} of ${manifest.vm.name} (${request.mode})`,
		explain: explainOf(facts, decided),
		warnings: [],
		steps: stepsOf(facts, decided),
		backup: manifest.identity.id,
		chain: found.chain.id,
		mode: request.mode,
		at: facts.now,
		uuid,
		name,
		directory,
		before: marks.validation,
		endChainOnFail: facts.limits.endChainOnFail,
		dropped: facts.definition?.dropped ?? [],
	};
};
