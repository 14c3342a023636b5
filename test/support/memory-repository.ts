// The repository port in memory, for unit tests of what uses one; the contract suite holds it and the real one together. Layers are
// files of the test: it says what lies at a path and is told of renames. Without, every layer is as its manifest says.
import {
	type BackupMarks,
	type Chain,
	type ChainEnd,
	type Clock,
	type Hold,
	KnibError,
	type Layer,
	type Manifest,
	manifestSchema,
	type PublishedBackup,
	type Repository,
	type SweepRecord,
	type TrackerFacts,
} from "@knib/core";
import { canonicalJson } from "../../apps/host-daemon/src/repository/identity-digest.ts";
import { layoutOf, parseBackupName } from "../../apps/host-daemon/src/repository/layout.ts";
import {
	type Every,
	LEASE_MS,
	type LeaseSightings,
	takeLease,
} from "../../apps/host-daemon/src/repository/lease.ts";
import type { LeaseFile, LeaseFiles } from "../../apps/host-daemon/src/repository/lease-file.ts";
import {
	chainProblems,
	manifestProblem,
} from "../../apps/host-daemon/src/repository/manifest-problems.ts";
import { freshMarks } from "../../apps/host-daemon/src/repository/marks.ts";
import { MANIFEST_REPOSITORY } from "./builders/manifest.ts";
import { memoryCare, type TrashedBackup, trashBackup } from "./memory-repository-care.ts";

/** What a test says of a layer's file. */
export type SimulatedLayer = Pick<Layer, "size" | "headerDigest" | "backing">;

/** The files behind a repository in memory. */
export type SimulatedFiles = {
	/** The layer at an absolute path; undefined when there is none. */
	readonly layer: (path: string) => SimulatedLayer | undefined;
	readonly renamed?: (from: string, to: string) => void;
	readonly removed?: (directory: string) => void;
};

/** What two hosts share when they reach the same repository. */
export type MemoryStorage = {
	/** By directory, as it would lie on disk. */
	readonly published: Map<string, { manifest: Manifest; marks: BackupMarks }>;
	readonly incoming: Set<string>;
	readonly ends: Map<string, ChainEnd>;
	readonly trackers: Map<string, TrackerFacts>;
	readonly holds: Map<string, Map<string, string>>;
	readonly leases: Map<string, LeaseFile[]>;
	/** Files kept of validations, by path. */
	readonly kept: Map<string, string | Uint8Array>;
	/** Deleted backups, by their name in the trash, and with what they went, by their former path. */
	readonly trash: Map<string, TrashedBackup>;
	readonly sweeps: Map<string, SweepRecord>;
};

export const memoryStorage = (): MemoryStorage => ({
	published: new Map(),
	incoming: new Set(),
	ends: new Map(),
	trackers: new Map(),
	holds: new Map(),
	leases: new Map(),
	kept: new Map(),
	trash: new Map(),
	sweeps: new Map(),
});

export type MemoryRepositoryOptions = {
	readonly clock: Pick<Clock, "now" | "monotonic">;
	readonly id?: string;
	readonly name?: string;
	readonly path?: string;
	readonly storage?: MemoryStorage;
	readonly files?: SimulatedFiles;
	readonly leaseMs?: number;
	/** How leases are renewed; default: never. */
	readonly every?: Every;
};

type Method = Exclude<keyof Repository, "id" | "name" | "path" | "pathOf">;

/** A repository in memory that can be told to fail. */
export type MemoryRepository = Repository & {
	readonly storage: MemoryStorage;
	/** The next call of a method rejects, before or after it has done its work. */
	readonly failNext: (method: Method, error: KnibError, when?: "before" | "after") => void;
	/** Takes back what `failNext` planned and nothing has met. */
	readonly clearFailures: () => void;
};

const memoryLeaseFiles = (storage: MemoryStorage): LeaseFiles => {
	const all = (directory: string): LeaseFile[] => storage.leases.get(directory) ?? [];
	return {
		newest: async (directory) => {
			const content = all(directory).at(-1);
			return content && { fencing: content.fencing, text: canonicalJson(content), content };
		},
		claim: async (directory, lease) => {
			if (all(directory).some((other) => other.fencing >= lease.fencing)) return false;
			storage.leases.set(directory, [...all(directory), lease]);
			return true;
		},
		write: async (directory, lease) => {
			const others = all(directory).filter((other) => other.fencing !== lease.fencing);
			const next = [...others, lease].sort((a, b) => a.fencing - b.fencing);
			storage.leases.set(directory, next);
		},
		prune: async () => undefined,
	};
};

const refuse = (message: string): never => {
	throw new KnibError("REFUSED", message);
};

/** A repository in memory. */
export const createMemoryRepository = (options: MemoryRepositoryOptions): MemoryRepository => {
	const { clock, files, id = MANIFEST_REPOSITORY.id, name = MANIFEST_REPOSITORY.name } = options;
	const storage = options.storage ?? memoryStorage();
	const layout = layoutOf(options.path ?? "/repository");
	const sightings: LeaseSightings = new Map();
	const leaseFiles = memoryLeaseFiles(storage);
	const failures = new Map<string, KnibError>();

	const backupAt = (path: string): PublishedBackup | undefined => {
		const found = storage.published.get(path);
		return found && { ...found, path };
	};
	const membersOf = (directory: string): readonly PublishedBackup[] =>
		[...storage.published.keys()]
			.filter((path) => path.startsWith(`${directory}/`))
			.map((path) => ({ path, sequence: parseBackupName(path.split("/").at(-1) ?? "")?.sequence }))
			.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))
			.flatMap(({ path }) => backupAt(path) ?? []);
	const chainOf = (vm: string, chain: string): Chain => {
		const directory = layout.chain(vm, chain);
		const members = membersOf(directory);
		return {
			id: chain,
			vm,
			repository: id,
			members,
			end: storage.ends.get(directory) ?? null,
			tracker: storage.trackers.get(directory) ?? null,
			problems: chainProblems(members.map((member) => member.manifest)),
		};
	};
	const existing = (vm: string, chain: string): string => {
		const directory = layout.chain(vm, chain);
		if (membersOf(directory).length > 0) return directory;
		throw new KnibError("NOT_FOUND", `there is no chain ${chain} of VM ${vm}`);
	};
	const layerProblems = (directory: string, manifest: Manifest): readonly string[] =>
		manifest.generation.layers.flatMap((layer) => {
			const path = `${directory}/${layer.file}`;
			const file = files === undefined ? layer : files.layer(path);
			if (file === undefined) return [`${path} is missing`];
			if (file.size !== layer.size) return [`${path} is ${file.size} bytes long`];
			if (file.headerDigest !== layer.headerDigest) return [`${path} has another header`];
			return file.backing === layer.backing ? [] : [`${path} stands on ${file.backing}`];
		});

	const assertContinues = (manifest: Manifest): void => {
		const { identity } = manifest;
		const members = membersOf(layout.chain(identity.vm, identity.chain));
		if (members.some((one) => one.manifest.identity.sequence >= identity.sequence)) {
			refuse(`number ${identity.sequence} is taken`);
		}
		const manifests = [...members.map((one) => one.manifest), manifest];
		const problem = chainProblems(manifests).find((text) => text.includes(identity.id));
		if (problem !== undefined) refuse(problem);
	};
	const assertFencing = ({ identity }: Manifest): void => {
		const newest = storage.leases.get(layout.vm(identity.vm))?.at(-1);
		if (newest === undefined || newest.fencing <= identity.fencing) return;
		throw new KnibError("LEASE_HELD", `the lease is held by host ${newest.holder}`);
	};
	const publishNew = (manifest: Manifest, path: string): void => {
		const { identity } = manifest;
		const place = { vm: identity.vm, chain: identity.chain, name: path.split("/").at(-1) ?? "" };
		const unsound = manifestProblem(manifest, place);
		if (unsound !== undefined) throw new KnibError("INTERNAL", `the manifest ${unsound}`);
		assertContinues(manifest);
		const from = layout.incomingBackup(identity.id);
		const problem = storage.incoming.has(from)
			? layerProblems(from, manifest)[0]
			: `${from} is missing`;
		if (problem !== undefined) throw new KnibError("VERIFY_FAILED", problem);
		assertFencing(manifest);
		storage.incoming.delete(from);
		storage.published.set(path, { manifest, marks: freshMarks(manifest) });
		files?.renamed?.(from, path);
	};
	const confirmed = (manifest: Manifest): PublishedBackup => {
		const path = layout.backup(manifest.identity);
		const found = backupAt(path);
		if (found === undefined) throw new KnibError("VERIFY_FAILED", `${path} is missing`);
		const problem = layerProblems(path, found.manifest)[0];
		if (problem !== undefined) throw new KnibError("VERIFY_FAILED", problem);
		return found;
	};

	const repository: Omit<Repository, "id" | "name" | "path" | "pathOf"> = {
		state: async () => ({
			id,
			path: layout.root,
			capacity: 2 ** 40,
			free: 2 ** 39,
			writable: true,
		}),
		vms: async () =>
			[...new Set([...storage.published.values()].map(({ manifest }) => manifest.vm.uuid))].sort(),
		chains: async (vm) => {
			const own = [...storage.published.values()].filter(({ manifest }) => manifest.vm.uuid === vm);
			const ids = [...new Set(own.map(({ manifest }) => manifest.identity.chain))];
			const start = (chain: Chain) => `${chain.members[0]?.manifest.createdAt} ${chain.id}`;
			return ids.map((chain) => chainOf(vm, chain)).sort((a, b) => (start(a) < start(b) ? -1 : 1));
		},
		find: async (backup) => {
			const path = [...storage.published.keys()].find((one) => one.endsWith(`-${backup}`));
			return path === undefined ? undefined : backupAt(path);
		},
		digests: async ({ manifest }) =>
			new Map(manifest.generation.layers.map(({ file, sha256 }) => [file, sha256])),
		proveLayers: async (backup) => layerProblems(backup.path, backup.manifest),
		lease: async (vm, holder) => {
			const members = [...storage.published.values()].map(({ manifest }) => manifest.identity);
			const used = members.filter((one) => one.vm === vm).map((one) => one.fencing);
			return takeLease(
				leaseFiles,
				{
					clock,
					leaseMs: options.leaseMs ?? LEASE_MS,
					every: options.every ?? (() => () => undefined),
					sightings,
				},
				{ vm, directory: layout.vm(vm), holder, lowest: async () => Math.max(0, ...used) },
			);
		},
		hold: async (vm, chain, { host, job, why }): Promise<Hold> => {
			const directory = existing(vm, chain);
			const holds = storage.holds.get(directory) ?? new Map<string, string>();
			storage.holds.set(directory, holds);
			holds.set(`${host}-${job}`, `${why} (job ${job} on host ${host})`);
			return {
				release: async () => {
					holds.delete(`${host}-${job}`);
				},
			};
		},
		holds: async (vm, chain) => [...(storage.holds.get(layout.chain(vm, chain))?.values() ?? [])],
		incoming: async (backup) => {
			const path = layout.incomingBackup(backup);
			storage.incoming.add(path);
			return { path };
		},
		discard: async (backup) => {
			const path = layout.incomingBackup(backup);
			if (storage.incoming.delete(path)) files?.removed?.(path);
		},
		publish: async (unparsed) => {
			const manifest = manifestSchema.parse(unparsed);
			const path = layout.backup(manifest.identity);
			const there = backupAt(path);
			if (there === undefined) publishNew(manifest, path);
			else if (there.manifest.identityDigest !== manifest.identityDigest) {
				throw new KnibError("MANIFEST_INVALID", `${path} is another backup of the same id`);
			}
			return confirmed(manifest);
		},
		confirm: async (manifest) => {
			const found = confirmed(manifest);
			const later = found.manifest.generation.number > manifest.generation.number;
			if (later || canonicalJson(found.manifest) === canonicalJson(manifest)) return found;
			throw new KnibError("VERIFY_FAILED", `${found.path} is not what was published`);
		},
		writeTracker: async (vm, chain, facts) => {
			storage.trackers.set(existing(vm, chain), facts);
		},
		endChain: async (vm, chain, end) => {
			const directory = existing(vm, chain);
			if (!storage.ends.has(directory)) storage.ends.set(directory, end);
		},
		writeMarks: async (backup, marks) => {
			const path = layout.backup(backup.manifest.identity);
			const found = storage.published.get(path);
			if (found !== undefined) found.marks = { ...found.marks, ...marks };
		},
		keepValidation: async (backup, validation, kept) => {
			const directory = `${layout.backup(backup.manifest.identity)}/validation/${validation}`;
			for (const file of kept) storage.kept.set(`${directory}/${file.name}`, file.contents);
		},
		moveToTrash: async ({ manifest: { identity }, path }) => {
			const [hold] = storage.holds.get(layout.chain(identity.vm, identity.chain))?.values() ?? [];
			if (hold !== undefined) throw new KnibError("BACKUP_BUSY", `it is in use: ${hold}`);
			const { members } = chainOf(identity.vm, identity.chain);
			const child = members.find((one) => one.manifest.parent?.id === identity.id);
			if (child !== undefined) refuse(`${child.path} stands on it`);
			return trashBackup({ storage, layout, files }, clock.now(), path);
		},
		...memoryCare({ storage, layout, files }),
	};

	return {
		id,
		name,
		path: layout.root,
		storage,
		failNext: (method, error, when = "before") => failures.set(`${when} ${method}`, error),
		clearFailures: () => failures.clear(),
		pathOf: (identity) => layout.backup(identity),
		...withFailures(repository, failures),
	};
};

const take = (failures: Map<string, KnibError>, key: string): void => {
	const error = failures.get(key);
	failures.delete(key);
	if (error !== undefined) throw error;
};

/** The same methods, each of which fails once where it was told to. */
const withFailures = <T extends object>(methods: T, failures: Map<string, KnibError>): T =>
	new Proxy(methods, {
		get: (target, key, receiver) => {
			const method: unknown = Reflect.get(target, key, receiver);
			if (typeof method !== "function") return method;
			return async (...args: readonly unknown[]): Promise<unknown> => {
				take(failures, `before ${String(key)}`);
				const result: unknown = await Reflect.apply(method, target, args);
				take(failures, `after ${String(key)}`);
				return result;
			};
		},
	});
