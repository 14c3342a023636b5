// States of the terminal interface as tests want them: a small host with something of everything.
import {
	type BackupView,
	backupBrief,
	type FilesView,
	type JobView,
	type PeerView,
	type VmView,
} from "@knib/core";
import {
	initialState,
	placeOf,
	type ScreenName,
	type State,
} from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { backupId, CHAIN, VM_UUID } from "../../support/builders/facts.ts";

const AT = "2026-01-02T03:04:05.000Z";
const VM = { uuid: VM_UUID, name: "web01" };

const RULES = ["peers", "events", "schedules", "selectors", "retention"] as const;

/** A peer as the API shows it. */
const aPeer = (n: number, override: Partial<PeerView>): PeerView => ({
	...{ id: String(n).repeat(64), name: `host${n}`, address: `192.0.2.${n}:7070`, role: "operator" },
	...{ state: "connected", kept: true, lastSeen: null, lagDocuments: null, lagMs: null },
	key: { number: 1, since: null },
	...override,
});

/** A VM as the API shows it. */
export const aVmView = (override: Partial<VmView> = {}): VmView => ({
	...VM,
	host: "here",
	state: "running",
	offering: "default",
	disks: [
		{ target: "vda", path: "/vm/a.qcow2", format: "qcow2", virtualSize: 1 << 30, skipped: null },
	],
	chain: CHAIN,
	lastBackup: { id: backupId(2), at: AT },
	lastProof: { level: "copied", at: AT, backup: backupId(2) },
	atRisk: [],
	notes: [],
	promise: null,
	...override,
});

/** A backup as the API shows it. */
export const aBackupView = (n: number, override: Partial<BackupView> = {}): BackupView => ({
	id: backupId(n),
	vm: VM,
	host: "here",
	chain: CHAIN,
	sequence: n,
	parent: n === 1 ? null : backupId(n - 1),
	kind: n === 1 ? "full" : "incremental",
	reason: "first backup of the chain",
	status: "BackedUp",
	compressionStatus: "Uncompressed",
	validationStatus: "NotValidated",
	proof: [{ level: "copied", at: AT, host: "here", durationMs: 1200 }],
	createdAt: AT,
	pointInTime: AT,
	consistency: "crash",
	labels: [],
	pinned: false,
	size: 5 << 20,
	uncompressedSize: 5 << 20,
	virtualSize: 1 << 30,
	repository: "main",
	path: "/repo/1",
	offering: "default",
	disks: [
		{
			target: "vda",
			layer: "vda.qcow2",
			size: 5 << 20,
			virtualSize: 1 << 30,
			parentLayer: null,
			sha256: "ab".repeat(32),
		},
	],
	skipped: [],
	validation: [],
	error: null,
	warnings: [],
	...override,
});

/** A directory of a backup, with names to stumble over. */
export const aFilesView = (): FilesView => {
	const entry = (name: string, type: FilesView["files"][number]["type"], size: number) => ({
		...{ name, type, size, path: `/etc/${name}`, mode: "0644", uid: 0, gid: 0, modifiedAt: AT },
		target: type === "symlink" ? "../run/resolv.conf" : null,
	});
	return {
		...{ backup: backupId(1), vm: VM, pointInTime: AT, disk: "vda", partition: "1", path: "/etc" },
		fileSystems: [{ partition: "1", type: "ext4", label: null, size: 1 << 30, readable: true }],
		files: [
			entry("ssh", "directory", 4096),
			entry("passwd", "file", 1402),
			entry("resolv.conf", "symlink", 20),
			entry(`${"x".repeat(300)}\\x1b[31m`, "file", 7 * 2 ** 30),
		],
		...{ total: 4, truncated: false },
	};
};

/** A job as the API shows it. */
export const aJobView = (override: Partial<JobView> = {}): JobView => ({
	id: "0196f000-0000-7000-8000-0000000b0001",
	type: "Backup",
	host: "here",
	vm: VM,
	backup: null,
	state: "executing",
	reason: null,
	phase: { name: "copy-layer", index: 7, count: 12 },
	attempts: 1,
	createdAt: AT,
	scheduledAt: null,
	startedAt: AT,
	endedAt: null,
	result: null,
	error: null,
	warnings: [],
	progress: { done: 1 << 28, total: 1 << 30, unit: "bytes", rate: 110 << 20, etaMs: 7000 },
	...override,
});

/** A connected state with something of everything. */
export const aState = (size = { width: 80, height: 24 }): State => {
	const state = initialState({ size, now: 1_000_000, readOnly: false, draws: "blocks" });
	const [connected] = update(state, { type: "link", state: "connected", message: null });
	const whole = [aBackupView(2, { pinned: true }), aBackupView(1)];
	const backups = whole.map(backupBrief);
	return {
		...connected,
		details: Object.fromEntries(whole.map((one) => [one.id, { ...one, blocked: [] }])),
		blocked: { [backupId(1)]: [{ action: "restore", reason: "it is being validated" }] },
		rates: { "0196f000-0000-7000-8000-0000000b0001": [10, 40, 90, 60] },
		logs: {
			"0196f000-0000-7000-8000-0000000b0001": [{ at: AT, level: "info", text: "took the lease" }],
		},
		data: {
			vmWarnings: [],
			vms: [
				aVmView(),
				aVmView({
					uuid: VM_UUID.replace("1", "2"),
					name: `db\u001b[31m 日本 🎉 ${"x".repeat(200)}`,
					lastProof: null,
					lastBackup: null,
					atRisk: ["it has no backup"],
				}),
			],
			backups,
			chains: [
				{
					id: CHAIN,
					vm: VM,
					repository: "main",
					state: "open",
					endReason: null,
					backups: backups.map(({ id }) => id).toReversed(),
					size: 10 << 20,
					problems: [],
				},
			],
			jobs: [
				aJobView(),
				aJobView({
					id: "0196f000-0000-7000-8000-0000000b0000",
					state: "failed",
					endedAt: AT,
					progress: null,
					phase: null,
					type: "BackupValidation",
					error: {
						code: "VALIDATION_FAILED",
						message: "the screen stayed black",
						hint: "look at it",
					},
				}),
			],
			offerings: [],
			repositories: [
				{
					id: "r1",
					name: "main",
					path: "/repo",
					state: "ready",
					message: null,
					default: true,
					capacity: 100 * 2 ** 30,
					free: 5 * 2 ** 30,
					backups: 2,
					chains: 1,
				},
			],
			settings: [
				{
					name: "backup.chain.size",
					value: 8,
					unit: "backups",
					scope: "cluster",
					source: "default",
				},
			],
			hosts: [
				{
					id: "1f".repeat(32),
					name: "here",
					self: true,
					state: "online",
					problems: [],
					seenAt: AT,
					startedAt: AT,
					version: "0.1.0",
					libvirt: "9.0.0",
					qemu: "7.2.0",
					scratchDirectory: "/scratch",
					vms: 2,
					key: { number: 2, since: AT },
				},
			],
			...someRules(),
			checks: [
				{
					...{ name: "libvirt", state: "failure", fix: "systemctl start libvirtd" },
					message: `libvirt does not answer on qemu:///system: ${"it was asked for long ".repeat(6)}`,
				},
				{ name: "daemon", state: "warning", message: "none answers", fix: "knib daemon run" },
				{ name: "node", state: "ok", message: "24.12.0", fix: null },
			],
		},
	};
};

/** What the screens of the mesh and of rules show. */
const someRules = (): Pick<State["data"], (typeof RULES)[number]> => ({
	peers: [
		aPeer(1, { state: "connected", lastSeen: AT, lagDocuments: 0, lagMs: 0 }),
		aPeer(2, { state: "reconnecting", lastSeen: AT, lagDocuments: 12, lagMs: 65_000 }),
		aPeer(3, { state: "removed", address: null }),
		aPeer(4, { state: "through-others", kept: false }),
	],
	events: [
		{ at: AT, kind: "alert", who: "here", vm: VM, text: "backup failed: no space" },
		{ at: AT, kind: "act", who: "root", vm: null, text: "settings set backup.chain.size" },
	],
	schedules: [
		{
			...{ id: "0196f000-0000-7000-8000-0000000c0001", name: "nightly", cron: "30 2 * * *" },
			...{ timezone: "Europe/Berlin", vm: "web*", tag: "prod", isolated: false, jitterMs: 0 },
			...{ createdAt: AT, changedAt: AT, nextRun: AT },
		},
	],
	selectors: [
		{
			...{ id: "0196f000-0000-7000-8000-0000000c0002", name: "fast", priority: 10 },
			...{ match: ["name=web*", "tag=prod"], createdAt: AT },
			repository: { id: "r2", name: "ssd", here: false },
		},
	],
	retention: [
		{
			vm: VM,
			backups: [1, 2].map((n) => ({
				...{ id: backupId(n), chain: CHAIN, kind: "full", offering: "default", schedule: null },
				...{ policy: { keepLast: 1 }, pointInTime: AT, size: 5 << 20, keep: n === 2 },
				reasons: [n === 2 ? "the newest" : "no rule keeps it"],
			})),
		},
	],
});

/** A state on a screen. */
export const placed = (state: State, screen: ScreenName, id: string | null = null): State => ({
	...state,
	stack: [placeOf({ screen: "dashboard", id: null }), placeOf({ screen, id })],
});

/** A state after these keys; a key of one character types it. */
export const pressed = (state: State, ...keys: readonly string[]): State =>
	keys.reduce(
		(at, name) =>
			update(at, { type: "key", key: { name, text: [...name].length === 1 ? name : null } })[0],
		state,
	);
