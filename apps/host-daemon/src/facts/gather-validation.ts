// Reads what a validation depends on: the backup and its ancestry, the saved definition, and what this host can run. Nothing is
// written.
import {
	asKnibError,
	type BackupValidationRequest,
	type FoundBackup,
	offeringFieldsSchema,
	readLayers,
	settingMilliseconds,
	type ValidationFacts,
	type ValidationHost,
	type ValidationLimits,
	type VmPolicy,
	validationNames,
} from "@knib/core";
import { chooseAcceleration, wantedHost } from "../hypervisor/choose-accelerator.ts";
import type { HostCapabilities } from "../hypervisor/host-capabilities.ts";
import { validationDefinition } from "../hypervisor/validation-definition.ts";
import type { JobDeps } from "../jobs/context.ts";
import { findInRepository, type Machine, readMachine, TPM_DIRECTORY } from "./gather-restore.ts";

const SECOND = 1000;

const limitsOf = async (deps: JobDeps, vm: string, policy: VmPolicy): Promise<ValidationLimits> => {
	const { catalog } = deps;
	const ms = async (
		own: number | undefined,
		name:
			| "backup.validation.boot.default.timeout"
			| "backup.validation.screenshot.default.wait"
			| "backup.validation.script.default.timeout",
	): Promise<number> =>
		own === undefined
			? settingMilliseconds(name, await catalog.setting(name, { vm }))
			: own * SECOND;
	return {
		bootTimeout: await ms(
			policy.backupValidationBootTimeout,
			"backup.validation.boot.default.timeout",
		),
		screenshotWait: await ms(
			policy.backupValidationScreenshotWait,
			"backup.validation.screenshot.default.wait",
		),
		commandTimeout: await ms(
			policy.backupValidationCommandTimeout,
			"backup.validation.script.default.timeout",
		),
		endChainOnFail: await catalog.setting("backup.validation.end.chain.on.fail", { vm }),
	};
};

type Made = Pick<ValidationFacts, "definition" | "definitionProblem" | "machine" | "host">;

const NOTHING: Made = {
	definition: null,
	definitionProblem: null,
	machine: { nvram: false, tpm: false },
	host: null,
};

type Subject = { readonly found: FoundBackup; readonly uuid: string; readonly directory: string };

const makeDefinition = async (
	deps: JobDeps,
	{ found, uuid, directory }: Subject,
	machine: Machine,
	host: HostCapabilities,
): Promise<Pick<Made, "definition" | "definitionProblem">> => {
	const wanted = wantedHost(machine.xml);
	const { arch, machine: board } = wanted;
	const ask = (type: "kvm" | "qemu") =>
		deps.machine.domainCapabilities({ type, arch, machine: board });
	const kvm = wanted.type === "kvm" ? await ask("kvm") : undefined;
	const emulated = await ask("qemu");
	const { ways, problem } = chooseAcceleration(wanted, kvm, emulated);
	const [best, fallback] = ways;
	if (best === undefined) return { definition: null, definitionProblem: problem };
	const { disks } = readLayers(found.chain.members, found.backup);
	const memoryLimit = await deps.catalog.setting("backup.validation.memory.limit", {
		vm: found.chain.vm,
	});
	const made = (way: (typeof ways)[number]) =>
		validationDefinition({
			xml: machine.xml,
			live: machine.live,
			...validationNames("", uuid),
			uuid,
			genid: deps.ids.uuid(),
			host: deps.host.id,
			disks: disks.map(({ target, layers }) => ({
				target,
				overlay: `${directory}/${target}.qcow2`,
				layers,
			})),
			nvram: machine.nvram ? `${directory}/nvram.fd` : null,
			tpmState: machine.tpm,
			memoryLimit,
			type: way.type,
			cpu: way.cpu,
			videoModels: (way.type === "kvm" ? kvm : emulated)?.videoModels ?? null,
			securityModels: host.securityModels,
		});
	const { xml, memory, dropped } = made(best);
	return {
		definition: {
			xml,
			fallbackXml: fallback === undefined ? null : made(fallback).xml,
			accelerator: best.type,
			memory,
			dropped,
		},
		definitionProblem: null,
	};
};

const OWNER_ONLY = 0o600;

const hostFacts = async (
	deps: JobDeps,
	found: FoundBackup,
	capabilities: HostCapabilities,
): Promise<ValidationHost> => {
	const { disks } = readLayers(found.chain.members, found.backup);
	const layers = disks.flatMap((disk) => disk.layers.map((layer) => layer.path));
	const user = capabilities.qemuUser ?? {
		uid: process.getuid?.() ?? 0,
		gid: process.getgid?.() ?? 0,
	};
	const unreadable = await deps.machine.unreadable(user, [...layers, `${deps.scratch}/`]);
	const { free } = await deps.images.space(deps.scratch);
	return {
		freeMemory: deps.machine.freeMemory(),
		scratchFree: free,
		owner: { ...user, mode: OWNER_ONLY },
		obstacles: unreadable.map(
			(path) =>
				`qemu's user (uid ${user.uid}, gid ${user.gid}) cannot ${path.endsWith("/") ? "enter" : "read"} ${path}`,
		),
	};
};

const makeAll = async (deps: JobDeps, subject: Subject): Promise<Made> => {
	const capabilities = await deps.machine.capabilities();
	const host = await hostFacts(deps, subject.found, capabilities);
	try {
		const machine = await readMachine(subject.found);
		const made = await makeDefinition(deps, subject, machine, capabilities);
		return { ...made, host, machine: { nvram: machine.nvram, tpm: machine.tpm } };
	} catch (thrown) {
		const error = asKnibError(thrown);
		if (error.code !== "VERIFY_FAILED") throw error;
		return { ...NOTHING, host, definitionProblem: error.message };
	}
};

const stepsOf = (found: FoundBackup | null): ValidationFacts["steps"] => {
	const kept = offeringFieldsSchema.shape.validationSteps.safeParse(
		found?.backup.manifest.offering["validationSteps"],
	);
	return kept.success ? kept.data : ["screenshot"];
};

/** Everything that decides a validation, read once. Rejects with NOT_FOUND or AMBIGUOUS_ID for the backup's id, and with the error of a repository or of a libvirt that does not answer. */
export const gatherValidation = async (
	deps: JobDeps,
	request: BackupValidationRequest,
): Promise<ValidationFacts> => {
	const { catalog, ids, clock, scratch } = deps;
	const view = await catalog.findBackup(request.backup);
	const found = await findInRepository(deps, view);
	const policy = await catalog.policyOf(view.vm.uuid);
	const uuid = ids.uuid();
	const { directory } = validationNames(scratch, uuid);
	const boots = request.mode === "boot" && found !== null;
	return {
		request,
		view: { id: view.id, vm: view.vm, status: view.status },
		found,
		steps: stepsOf(found),
		policy,
		limits: await limitsOf(deps, view.vm.uuid, policy),
		...(boots ? await makeAll(deps, { found, uuid, directory }) : NOTHING),
		uuid,
		scratch,
		tpmDirectory: TPM_DIRECTORY,
		now: clock.now(),
	};
};
