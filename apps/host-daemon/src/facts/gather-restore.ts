// Reads what a restore to a new VM depends on: the backup and its ancestry in the repository, the saved definition, and what this
// host has to offer. Nothing is written.
import { readdir } from "node:fs/promises";
import {
	asKnibError,
	type BackupView,
	type FoundBackup,
	type HostFit,
	mapNetwork,
	type NetworkRef,
	type NewDefinition,
	type RestoreFacts,
	type RestoreNewRequest,
	readLayers,
	restorePaths,
	settingMilliseconds,
} from "@knib/core";
import { overLayers } from "../hypervisor/backing-stores.ts";
import { fitOf, wantedHost } from "../hypervisor/choose-accelerator.ts";
import { newDefinition } from "../hypervisor/new-definition.ts";
import type { JobDeps } from "../jobs/context.ts";
import { gatherQuick } from "./gather-quick.ts";
import { gatherStorage } from "./gather-storage.ts";
import { isDirectory, isFileThere, isPlainFile, readSmallFile } from "./machine-files.ts";

/** Where libvirt keeps the state of emulated TPMs. */
export const TPM_DIRECTORY = "/var/lib/libvirt/swtpm";

const BRIDGES = "/sys/class/net";

/** The backup and its chain in the repository, with the layers of its ancestry proven by size, backing file and header. */
export const findInRepository = async (
	deps: Pick<JobDeps, "catalog">,
	view: BackupView,
): Promise<FoundBackup | null> => {
	if (view.repository === null || view.chain === null) return null;
	const repository = await deps.catalog.open(view.repository);
	const chain = (await repository.chains(view.vm.uuid)).find((one) => one.id === view.chain);
	const backup = chain?.members.find((one) => one.manifest.identity.id === view.id);
	if (chain === undefined || backup === undefined) return null;
	const { ancestry } = readLayers(chain.members, backup);
	const problems = await Promise.all(ancestry.map((one) => repository.proveLayers(one)));
	return {
		repository: { id: repository.id, name: repository.name },
		chain,
		backup,
		layerProblems: problems.flat(),
	};
};

const bridgesHere = async (): Promise<readonly NetworkRef[]> => {
	const names = await readdir(BRIDGES).catch((): string[] => []);
	const bridges = await Promise.all(
		names.map(async (name) => ((await isDirectory(`${BRIDGES}/${name}/bridge`)) ? [name] : [])),
	);
	return bridges.flat().map((name) => ({ kind: "bridge", name }));
};

const networksHere = async (deps: JobDeps): Promise<readonly NetworkRef[] | null> => {
	const known = await deps.hypervisor.networks?.();
	if (known === undefined) return null;
	const networks = known.map(({ name }): NetworkRef => ({ kind: "network", name }));
	return [...networks, ...(await bridgesHere())];
};

/** What lies beside the layers of a backup. */
export type Machine = {
	readonly xml: string;
	readonly live: string | null;
	readonly nvram: boolean;
	readonly tpm: boolean;
};

export const readMachine = async (found: FoundBackup): Promise<Machine> => {
	const { path, manifest } = found.backup;
	const { files } = manifest.machine;
	return {
		xml: await readSmallFile(`${path}/domain-inactive.xml`),
		live: files.includes("domain.xml") ? await readSmallFile(`${path}/domain.xml`) : null,
		nvram: files.includes("nvram") && (await isPlainFile(`${path}/nvram`)),
		tpm: files.includes("tpm") && (await isDirectory(`${path}/tpm`)),
	};
};

/** A MAC address of qemu's range. */
const newMac = (deps: JobDeps): string =>
	`52:54:00:${(deps.ids.random(3).match(/../g) ?? []).join(":")}`;

type Made = Pick<RestoreFacts, "definition" | "definitionProblem" | "machine">;

const NO_DEFINITION: Made = {
	definition: null,
	definitionProblem: null,
	machine: { nvram: false, tpm: false },
};

type MakeInput = {
	readonly request: RestoreNewRequest;
	readonly found: FoundBackup;
	readonly uuid: string;
	readonly directory: string;
	readonly networks: readonly NetworkRef[] | null;
};

const makeDefinition = async (deps: JobDeps, input: MakeInput): Promise<Made> => {
	const { request, found, uuid, directory, networks } = input;
	const targets = found.backup.manifest.generation.layers.map((layer) => layer.target);
	const paths = restorePaths(directory, { name: request.name, uuid }, targets);
	try {
		const machine = await readMachine(found);
		const interfaces = machine.xml.split("<interface").length - 1;
		const definition: NewDefinition = newDefinition({
			xml: machine.xml,
			live: machine.live,
			name: request.name,
			uuid,
			genid: deps.ids.uuid(),
			disks: paths.disks,
			nvram: machine.nvram ? paths.nvram : null,
			tpmState: machine.tpm,
			keepMac: request.keepMac,
			macs: Array.from({ length: interfaces }, () => newMac(deps)),
			connect: (network) => mapNetwork(network, request.networks, networks),
		});
		return { definition, definitionProblem: null, machine };
	} catch (thrown) {
		return { ...NO_DEFINITION, definitionProblem: asKnibError(thrown).message };
	}
};

/** The definition of a VM that starts over the repository's layers. */
const overTheLayers = async (
	deps: JobDeps,
	definition: NewDefinition | null,
	found: FoundBackup | null,
): Promise<NewDefinition | null> => {
	if (definition === null || found === null) return definition;
	const { securityModels } = await deps.machine.capabilities();
	const disks = readLayers(found.chain.members, found.backup).disks.map(({ target, layers }) => ({
		target,
		layers: layers.map((layer) => layer.path),
	}));
	return { ...definition, xml: overLayers(definition.xml, disks, securityModels) };
};

/** Whether libvirt here can have the VM as it was saved. */
const hostFit = async (deps: JobDeps, xml: string | null): Promise<HostFit> => {
	if (xml === null) return { cannotDefine: null, cannotStart: null };
	const wanted = wantedHost(xml);
	const { arch, machine } = wanted;
	const type = wanted.type === "kvm" ? "kvm" : "qemu";
	return fitOf(wanted, await deps.machine.domainCapabilities({ type, arch, machine }));
};

/** Everything that decides a restore to a new VM, read once. Rejects with NOT_FOUND or AMBIGUOUS_ID for the backup's id, and with the error of a repository that does not answer. */
export const gatherRestore = async (
	deps: JobDeps,
	request: RestoreNewRequest,
): Promise<RestoreFacts> => {
	const { catalog, hypervisor, ids } = deps;
	const view = await catalog.findBackup(request.backup);
	const scope = { vm: view.vm.uuid };
	const [found, vms, networks, parallelDisks, bootTimeout] = await Promise.all([
		findInRepository(deps, view),
		hypervisor.list(),
		networksHere(deps),
		catalog.setting("backup.copy.parallel.disks", scope),
		catalog.setting("backup.validation.boot.default.timeout", scope),
	]);
	const uuid = ids.uuid();
	const storage = await gatherStorage(deps, { request, found, uuid });
	const { directory } = storage;
	const made =
		found === null
			? NO_DEFINITION
			: await makeDefinition(deps, { request, found, uuid, directory, networks });
	const quick = await gatherQuick(deps, request.quick, found, made.definition?.xml ?? null);
	const firmware = made.definition?.firmware ?? null;
	return {
		request,
		view: { id: view.id, vm: view.vm, status: view.status },
		found,
		...made,
		definition:
			quick === null ? made.definition : await overTheLayers(deps, made.definition, found),
		quick,
		host: await hostFit(deps, made.definition?.xml ?? null),
		machine: { nvram: made.machine.nvram, tpm: made.machine.tpm },
		firmwareThere: firmware === null || (await isFileThere(firmware)),
		uuid,
		vms: vms.map(({ uuid: id, name }) => ({ uuid: id, name })),
		networks,
		storage,
		tpmDirectory: TPM_DIRECTORY,
		parallelDisks,
		agentDeadlineMs: settingMilliseconds("backup.validation.boot.default.timeout", bootTimeout),
	};
};
