// The facts that a restore is decided by, gathered once, and the names that follow from a request alone.
import type { RestoreNewRequest } from "../api/job-request.ts";
import type { BackupView } from "../api/views.ts";
import type { Chain, PublishedBackup } from "../domain/chain.ts";
import type { DiskPolicies, FileOwner } from "./steps.ts";

/** A network that a VM's interface is connected to: one of libvirt's, or a bridge of the host. */
export type NetworkRef = { readonly kind: "network" | "bridge"; readonly name: string };

/** The backup as its repository holds it. */
export type FoundBackup = {
	readonly repository: { readonly id: string; readonly name: string };
	readonly chain: Chain;
	readonly backup: PublishedBackup;
	/** What is wrong with the layers that are read, by size, backing file and header; empty when they are what was published. */
	readonly layerProblems: readonly string[];
};

/** The new VM's definition, made from the saved one. */
export type NewDefinition = {
	readonly xml: string;
	/** What the source had and the new VM has not, in words. */
	readonly dropped: readonly string[];
	/** What is connected otherwise than in the source, in words. */
	readonly changed: readonly string[];
	/** Networks of the source's interfaces, as its definition names them. */
	readonly sourceNetworks: readonly NetworkRef[];
	/** Networks that the new VM needs, each once. */
	readonly networks: readonly NetworkRef[];
	/** Firmware image that the definition names; null when it leaves it to libvirt. */
	readonly firmware: string | null;
};

/** The directory for the new disks. */
export type StorageFacts = {
	readonly directory: string;
	/** Why this one, in words. */
	readonly reason: string;
	readonly free: number;
	readonly writable: boolean;
	/** Why it cannot be used, in words; null when it can be read. */
	readonly problem: string | null;
	/** Paths of new files that exist already. */
	readonly taken: readonly string[];
	readonly owner: FileOwner;
	/** Where owner and mode of the new files come from, in words. */
	readonly ownerReason: string;
};

/** Whether a host can have a VM. */
export type HostFit = {
	/** Why libvirt would refuse the definition, such as a machine type that is not here; null when it would not. */
	readonly cannotDefine: string | null;
	/** Why the VM could not start, such as a CPU model that is not here; null when it could. */
	readonly cannotStart: string | null;
};

/** What a quick restore depends on beside all that a restore does. */
export type QuickFacts = {
	/** The offering that the backup was taken under allows it. */
	readonly allowed: boolean;
	/** What keeps this host from running a VM over the layers, in words. */
	readonly obstacles: readonly string[];
	readonly warnings: readonly string[];
	/** By target, what the disks' drivers do on trouble once they stand on themselves. */
	readonly policies: Readonly<Record<string, DiskPolicies>>;
};

export type RestoreFacts = {
	readonly request: RestoreNewRequest;
	readonly view: Pick<BackupView, "id" | "vm" | "status">;
	/** Null when the view knows it but no repository of this host holds it. */
	readonly found: FoundBackup | null;
	/** Null when it could not be made; the reason is in `definitionProblem`. */
	readonly definition: NewDefinition | null;
	readonly definitionProblem: string | null;
	/** The firmware image is on this host. */
	readonly firmwareThere: boolean;
	/** What of the machine this host has not, in words. */
	readonly host: HostFit;
	/** Machine files beside the layers that can be copied. */
	readonly machine: { readonly nvram: boolean; readonly tpm: boolean };
	/** Uuid of the new VM. */
	readonly uuid: string;
	readonly vms: readonly { readonly uuid: string; readonly name: string }[];
	/** Networks and bridges of this host; null when libvirt was not asked. */
	readonly networks: readonly NetworkRef[] | null;
	readonly storage: StorageFacts;
	/** Directory under which libvirt keeps the state of emulated TPMs. */
	readonly tpmDirectory: string;
	readonly parallelDisks: number;
	readonly agentDeadlineMs: number;
	/** Null for a restore that is not quick. */
	readonly quick: QuickFacts | null;
};

/** The directory where libvirt keeps disks when nothing else is said. */
export const DEFAULT_STORAGE = "/var/lib/libvirt/images";

const LONGEST_STEM = 150;

/** A VM's name as part of a file name: ASCII letters, digits, dot, dash and underscore, no dot or dash in front. */
export const fileStem = (name: string): string => {
	const plain = name.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^[.-]+/, "_");
	return plain.slice(0, LONGEST_STEM);
};

/** Paths of the new files of a restore. The NVRAM's name holds the VM's uuid, so that it is known as this restore's own. */
export const restorePaths = (
	storage: string,
	vm: { readonly name: string; readonly uuid: string },
	targets: readonly string[],
): {
	readonly disks: readonly { readonly target: string; readonly path: string }[];
	readonly nvram: string;
} => {
	const stem = `${storage.replace(/(?<=.)\/+$/, "")}/${fileStem(vm.name)}`.replace(/^\/\//, "/");
	return {
		disks: targets.map((target) => ({ target, path: `${stem}-${target}.qcow2` })),
		nvram: `${stem}-${vm.uuid}_VARS.fd`,
	};
};

/** Where the interfaces of a network go: as the request maps it, a bridge where this host has one of that name and no such network; else as it was. */
export const mapNetwork = (
	network: NetworkRef,
	mapping: Readonly<Record<string, string>>,
	known: readonly NetworkRef[] | null,
): NetworkRef => {
	const to = Object.hasOwn(mapping, network.name) ? mapping[network.name] : undefined;
	if (to === undefined) return network;
	const named = (known ?? []).filter((one) => one.name === to);
	return (
		named.find((one) => one.kind === "network") ??
		named[0] ?? { kind: known === null ? network.kind : "network", name: to }
	);
};
