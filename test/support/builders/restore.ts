// Facts of a restore: a chain of three backups of one VM with two disks, on a host that has everything it needs.
import {
	type BackupMarks,
	type Chain,
	type FoundBackup,
	type Manifest,
	type NewDefinition,
	type PublishedBackup,
	type RestoreFacts,
	restoreNewRequestSchema,
} from "@knib/core";
import { backupName } from "../../../apps/host-daemon/src/repository/layout.ts";
import { freshMarks } from "../../../apps/host-daemon/src/repository/marks.ts";
import { aChild, aManifest, MANIFEST_CHAIN, MANIFEST_REPOSITORY, MANIFEST_VM } from "./manifest.ts";

export const NEW_VM = "0196f000-0000-7000-8000-0000000000aa";
const CHAIN_PATH = `/repo/vms/${MANIFEST_VM}/${MANIFEST_CHAIN}`;
const TWO_DISKS = [
	{ target: "vda", virtualSize: 1 << 20 },
	{ target: "vdb", virtualSize: 1 << 30 },
];

/** A published backup of a manifest, in the directory that the layout gives it. */
export const published = (
	manifest: Manifest,
	marks: Partial<BackupMarks> = {},
): PublishedBackup => ({
	manifest,
	marks: { ...freshMarks(manifest), ...marks },
	path: `${CHAIN_PATH}/${backupName(manifest.identity)}`,
});

/** A full backup and two increments on it. */
export const threeBackups = (): readonly [PublishedBackup, PublishedBackup, PublishedBackup] => {
	const first = aManifest({ identity: { disks: TWO_DISKS } });
	const second = aChild(first);
	return [published(first), published(second), published(aChild(second))];
};

export const aChainOf = (members: readonly PublishedBackup[]): Chain => ({
	id: MANIFEST_CHAIN,
	vm: MANIFEST_VM,
	repository: MANIFEST_REPOSITORY.id,
	members,
	end: null,
	tracker: null,
	problems: [],
});

/** The newest of the members, unless another one is given. */
export const foundIn = (
	members: readonly PublishedBackup[],
	override: Partial<FoundBackup> = {},
): FoundBackup => {
	const backup = members.at(-1);
	if (backup === undefined) throw new Error("a chain without backups");
	return {
		repository: MANIFEST_REPOSITORY,
		chain: aChainOf(members),
		backup,
		layerProblems: [],
		...override,
	};
};

export const aDefinition = (override: Partial<NewDefinition> = {}): NewDefinition => ({
	xml: "<domain/>",
	dropped: [],
	changed: [],
	sourceNetworks: [{ kind: "network", name: "default" }],
	networks: [{ kind: "network", name: "default" }],
	firmware: null,
	...override,
});

type Override = Partial<Omit<RestoreFacts, "request" | "storage" | "view">> & {
	readonly request?: Record<string, unknown>;
	readonly storage?: Partial<RestoreFacts["storage"]>;
	readonly view?: Partial<RestoreFacts["view"]>;
};

export const restoreFacts = (override: Override = {}): RestoreFacts => {
	const found = override.found === undefined ? foundIn(threeBackups()) : override.found;
	const id = found?.backup.manifest.identity.id ?? "0196f000-0000-7000-8000-000000000003";
	return {
		found,
		definition: aDefinition(),
		definitionProblem: null,
		firmwareThere: true,
		machine: { nvram: false, tpm: false },
		quick: null,
		host: { cannotDefine: null, cannotStart: null },
		uuid: NEW_VM,
		vms: [{ uuid: MANIFEST_VM, name: "a" }],
		networks: [
			{ kind: "network", name: "default" },
			{ kind: "bridge", name: "br0" },
		],
		tpmDirectory: "/var/lib/libvirt/swtpm",
		parallelDisks: 2,
		agentDeadlineMs: 240_000,
		...override,
		view: { id, vm: { uuid: MANIFEST_VM, name: "a" }, status: "BackedUp", ...override.view },
		request: restoreNewRequestSchema.parse({
			type: "Restore",
			mode: "new",
			backup: id,
			name: "copy",
			...override.request,
		}),
		storage: {
			directory: "/vm",
			reason: "the source's disks were there",
			free: 1 << 30,
			writable: true,
			problem: null,
			taken: [],
			owner: { uid: 107, gid: 107, mode: 0o600 },
			ownerReason: "like the source's image /vm/a.qcow2",
			...override.storage,
		},
	};
};
