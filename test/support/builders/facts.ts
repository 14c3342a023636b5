// Builders of the facts that planners read: realistic defaults, one override object each.
import {
	type BackupFacts,
	backupRequestSchema,
	type Chain,
	type DiskFacts,
	type FileFacts,
	type ImageInfo,
	type Manifest,
	type OpenChainFacts,
	offeringSchema,
	overlayPath,
	type PublishedBackup,
	type TrackerFacts,
	type Vm,
	type VmDisk,
} from "@knib/core";

export const VM_UUID = "11111111-2222-4333-8444-555555555555";
export const CHAIN = "0196f000-0000-7000-8000-00000000c001";
export const REPOSITORY = { id: "0196f000-0000-7000-8000-00000000a001", name: "main" };
const DIGEST = "ab".repeat(32);
const AT = "2026-01-02T03:04:05.000Z";

/** A backup id by its number. */
export const backupId = (n: number): string =>
	`0196f000-0000-7000-8000-${String(n).padStart(12, "0")}`;

export const aDisk = (override: Partial<VmDisk> = {}): VmDisk => ({
	target: "vda",
	bus: "virtio",
	device: "disk",
	source: "file",
	path: "/vm/a.qcow2",
	format: "qcow2",
	readonly: false,
	shareable: false,
	transient: false,
	encrypted: false,
	busy: false,
	...override,
});

export const anImage = (override: Partial<ImageInfo> = {}): ImageInfo => ({
	path: "/vm/a.qcow2",
	format: "qcow2",
	virtualSize: 1 << 30,
	actualSize: 1 << 20,
	snapshots: [],
	extendedL2: false,
	encrypted: false,
	dirty: false,
	corrupt: false,
	...override,
});

export const aFile = (path: string, override: Partial<FileFacts> = {}): FileFacts => ({
	path,
	kind: "file",
	inode: `inode of ${path}`,
	fileSystem: "f5",
	size: 1 << 20,
	uid: 0,
	gid: 0,
	mode: 0o600,
	mtime: "1000",
	ctime: "1000",
	headerDigest: DIGEST,
	extentsDigest: DIGEST,
	...override,
});

/** A disk whose images are the given paths, top first. */
export const aDiskOn = (target: string, paths: readonly string[], size = 1 << 30): DiskFacts => {
	const [top = "/vm/none.qcow2"] = paths;
	return {
		disk: aDisk({ target, path: top }),
		images: paths.map((path) => anImage({ path, virtualSize: size })),
		top: aFile(top),
		below: paths.slice(1).map((path) => aFile(path)),
		problem: null,
	};
};

export const aVm = (override: Partial<Vm> = {}): Vm => ({
	uuid: VM_UUID,
	name: "web01",
	state: "running",
	persistent: true,
	managedSave: false,
	run: "4711@99",
	disks: [],
	snapshots: [],
	checkpoints: 0,
	agentChannel: true,
	tpm: false,
	tags: [],
	memory: 1 << 27,
	xml: { inactive: "<domain/>" },
	...override,
});

const aMember = (n: number, kind: Manifest["kind"]): PublishedBackup => ({
	path: `/repo/${backupId(n)}`,
	marks: {
		removed: null,
		pinned: null,
		proofs: [],
		compression: { status: "Uncompressed", message: null },
		validation: { status: "NotValidated", message: null, steps: [] },
	},
	manifest: {
		format: 1,
		identity: {
			id: backupId(n),
			vm: VM_UUID,
			chain: CHAIN,
			sequence: n,
			pointInTime: AT.replace("05.000", `${String(n).padStart(2, "0")}.000`),
			disks: [],
			nonce: DIGEST,
			fencing: n,
		},
		identityDigest: DIGEST,
		parent: null,
		kind,
		reason: "as the test says",
		vm: { uuid: VM_UUID, name: "web01", state: "running" },
		host: { id: "host", name: "host" },
		repository: REPOSITORY,
		createdAt: AT,
		consistency: "crash-consistent",
		labels: [],
		offering: { id: backupId(900), name: "default" },
		generation: { number: 1, publishedAt: AT, layers: [] },
		tracker: { kind: "overlay", disks: [] },
		skipped: [],
		machine: { files: [], networks: [], pools: [] },
		endsChain: null,
		versions: { knib: "0", libvirt: "0", qemu: "0" },
	},
});

/** An open chain of `count` backups whose newest put an overlay on each base. */
export const anOpenChain = (
	count: number,
	bases: Readonly<Record<string, string>>,
	override: Partial<Chain> = {},
): OpenChainFacts => {
	const newest = backupId(count);
	const tracker: TrackerFacts = {
		format: 1,
		backup: newest,
		identityDigest: DIGEST,
		host: "host",
		recordedAt: AT,
		run: "4711@99",
		disks: Object.entries(bases).map(([target, base]) => {
			const overlay = overlayPath(base, target, newest);
			const { inode, fileSystem } = aFile(overlay);
			return {
				target,
				virtualSize: 1 << 30,
				overlay: { path: overlay, inode, fileSystem },
				below: [aFile(base)],
			};
		}),
	};
	const members = Array.from({ length: count }, (_, index) =>
		aMember(index + 1, index === 0 ? "full" : "incremental"),
	);
	return {
		repository: REPOSITORY,
		parentProblems: [],
		chain: {
			id: CHAIN,
			vm: VM_UUID,
			repository: REPOSITORY.id,
			members,
			end: null,
			tracker,
			problems: [],
			...override,
		},
	};
};

/** A running VM with one qcow2 disk and no backups yet. */
export const someFacts = (override: Partial<BackupFacts> = {}): BackupFacts => ({
	vm: aVm(),
	disks: [aDiskOn("vda", ["/vm/a.qcow2"])],
	open: null,
	request: backupRequestSchema.parse({ type: "Backup", vm: "web01" }),
	lastEnd: null,
	backup: backupId(500),
	newChain: backupId(501),
	nonce: DIGEST,
	now: AT,
	offering: offeringSchema.parse({ id: backupId(900), name: "default", createdAt: AT }),
	excluded: [],
	chainSize: 8,
	parallelDisks: 2,
	copyRate: 0,
	scratch: "/var/lib/knib/scratch",
	agentAnswers: null,
	repository: { ...REPOSITORY, reason: "the default one" },
	...override,
});
