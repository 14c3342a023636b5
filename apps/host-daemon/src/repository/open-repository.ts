// A repository on a file system: puts the pieces of this folder together behind core's port.
import { resolve } from "node:path";
import { type Chain, KnibError, type PublishedBackup, type Repository } from "@knib/core";
import { createRepositoryFiles } from "./files.ts";
import { listHolds, placeHold } from "./holds.ts";
import { jsonText } from "./json-file.ts";
import { isUuid, layoutOf, parseBackupName } from "./layout.ts";
import { everyInterval, LEASE_MS, type LeaseDeps, takeLease } from "./lease.ts";
import { createLeaseFiles } from "./lease-file.ts";
import { keepValidationFiles } from "./keep-validation.ts";
import { writeMarks } from "./marks.ts";
import { proveLayers } from "./prove-layers.ts";
import { confirm, publish } from "./publish.ts";
import { readBackup } from "./read-backup.ts";
import { type ChainSource, readChain } from "./read-chain.ts";
import { assertIdentity, type RepositoryFile, readRepositoryFile } from "./repository-file.ts";
import type { OpenOptions, RepositoryDeps } from "./repository-options.ts";
import { answerWithin, readRepositoryState } from "./repository-state.ts";
import { moveToTrash } from "./trash.ts";

/** What the parts of an open repository share. `here` rejects unless the directory still is this repository: its mount may have gone. */
type Opened = ChainSource & {
	readonly file: RepositoryFile;
	readonly deps: RepositoryDeps;
	readonly here: () => Promise<void>;
};

const uuidsIn = async (opened: Opened, directory: string): Promise<readonly string[]> => {
	const entries = await opened.files.list(directory);
	if (entries === undefined) {
		throw new KnibError("REPOSITORY_INVALID", `the directory ${directory} is missing`);
	}
	return entries
		.filter((entry) => isUuid(entry.name) && !entry.isFile())
		.map((entry) => entry.name)
		.sort();
};

const chainsOf = async (opened: Opened, vm: string): Promise<readonly string[]> => {
	const directory = opened.layout.vm(vm);
	const stats = await opened.files.look(directory);
	if (stats === undefined) return [];
	if (stats.isDirectory()) return uuidsIn(opened, directory);
	throw new KnibError("REPOSITORY_INVALID", `${directory} is not a directory`);
};

const startOf = (chain: Chain): string => chain.members[0]?.manifest.createdAt ?? "";

const isTrace = (chain: Chain): boolean =>
	chain.members.length === 0 && chain.problems.length === 0 && chain.end === null;

const readChains = async (opened: Opened, vm: string): Promise<readonly Chain[]> => {
	const chains: Chain[] = [];
	for (const id of await chainsOf(opened, vm)) chains.push(await readChain(opened, vm, id));
	return chains
		.filter((chain) => !isTrace(chain))
		.sort((a, b) => (`${startOf(a)} ${a.id}` < `${startOf(b)} ${b.id}` ? -1 : 1));
};

const findIn = async (
	opened: Opened,
	vm: string,
	backup: string,
): Promise<PublishedBackup | undefined> => {
	for (const chain of await chainsOf(opened, vm)) {
		const directory = opened.layout.chain(vm, chain);
		const entries = (await opened.files.list(directory)) ?? [];
		const entry = entries.find(({ name }) => parseBackupName(name)?.id === backup);
		if (entry === undefined) continue;
		const place = { vm, chain, name: entry.name };
		const read = await readBackup(opened.files, `${directory}/${entry.name}`, place);
		if (read.backup !== undefined) return read.backup;
		const why = read.problems[0] ?? "it cannot be read";
		throw new KnibError("MANIFEST_INVALID", `backup ${backup} cannot be trusted: ${why}`);
	}
	return undefined;
};

const find = async (opened: Opened, backup: string): Promise<PublishedBackup | undefined> => {
	for (const vm of await uuidsIn(opened, opened.layout.vms)) {
		const found = await findIn(opened, vm, backup);
		if (found !== undefined) return found;
	}
	return undefined;
};

/** The highest fencing number in a VM's manifests: numbers grow on even if the lease's files were lost. */
const highestFencing = async (opened: Opened, vm: string): Promise<number> => {
	const chains = await readChains(opened, vm);
	const members = chains.flatMap((chain) => chain.members);
	return Math.max(0, ...members.map(({ manifest }) => manifest.identity.fencing));
};

const leaseDeps = (deps: RepositoryDeps): LeaseDeps => ({
	clock: deps.clock,
	leaseMs: deps.leaseMs ?? LEASE_MS,
	every: deps.every ?? everyInterval,
	sightings: deps.sightings ?? new Map(),
});

const existingChain = async (opened: Opened, vm: string, chain: string): Promise<string> => {
	const directory = opened.layout.chain(vm, chain);
	if ((await opened.files.look(directory)) !== undefined) return directory;
	throw new KnibError("NOT_FOUND", `there is no chain ${chain} of VM ${vm} in the repository`);
};

const reading = (
	opened: Opened,
): Pick<Repository, "vms" | "chains" | "find" | "proveLayers" | "holds"> => ({
	vms: async () => {
		await opened.here();
		const vms: string[] = [];
		for (const vm of await uuidsIn(opened, opened.layout.vms)) {
			const stats = await opened.files.look(opened.layout.vm(vm));
			const chains = stats?.isDirectory() ? await chainsOf(opened, vm) : [vm];
			if (chains.length > 0) vms.push(vm);
		}
		return vms;
	},
	chains: async (vm) => {
		await opened.here();
		return await readChains(opened, vm);
	},
	find: async (backup) => {
		await opened.here();
		return await find(opened, backup);
	},
	proveLayers: (backup) => proveLayers(opened.files, backup),
	holds: async (vm, chain) => {
		await opened.here();
		return await listHolds(opened.files, opened.layout.holds(vm, chain));
	},
});

const guarding = (opened: Opened): Pick<Repository, "lease" | "hold"> => {
	const { files, layout, deps } = opened;
	const leases = createLeaseFiles(files);
	const needs = leaseDeps(deps);
	return {
		lease: async (vm, holder) => {
			await opened.here();
			const directory = layout.vm(vm);
			await files.makeDirectory(directory);
			const lowest = () => highestFencing(opened, vm);
			return await takeLease(leases, needs, { vm, directory, holder, lowest });
		},
		hold: async (vm, chain, holder) => {
			await opened.here();
			const place = { chain: layout.chain(vm, chain), directory: layout.holds(vm, chain) };
			return await placeHold(files, place, { ...holder, since: deps.clock.now() });
		},
	};
};

/** A backup made under a lease that somebody has taken since is not published. */
const assertFencing = async (opened: Opened, vm: string, fencing: number): Promise<void> => {
	const newest = await createLeaseFiles(opened.files).newest(opened.layout.vm(vm));
	if (newest === undefined || newest.fencing <= fencing) return;
	throw new KnibError(
		"LEASE_HELD",
		`the lease of VM ${vm} was taken by host ${newest.content?.holder ?? "unknown"} while the backup was made`,
		{ details: { vm, holder: newest.content?.holder, fencing: newest.fencing } },
	);
};

const publishing = (
	opened: Opened,
): Pick<Repository, "incoming" | "discard" | "publish" | "confirm" | "pathOf"> => {
	const { files, layout } = opened;
	return {
		incoming: async (backup) => {
			await opened.here();
			const path = layout.incomingBackup(backup);
			await files.makeDirectory(layout.incoming);
			await files.makeDirectory(path);
			return { path };
		},
		discard: async (backup) => {
			await opened.here();
			const path = layout.incomingBackup(backup);
			if ((await files.look(path)) !== undefined) await files.removeTree(path);
		},
		publish: async (manifest) => {
			await opened.here();
			const { vm, fencing } = manifest.identity;
			return await publish(opened, manifest, () => assertFencing(opened, vm, fencing));
		},
		confirm: async (manifest) => {
			await opened.here();
			return await confirm(opened, manifest);
		},
		pathOf: (identity) => layout.backup(identity),
	};
};

const recording = (
	opened: Opened,
): Pick<
	Repository,
	"writeTracker" | "endChain" | "writeMarks" | "keepValidation" | "moveToTrash"
> => {
	const { files, deps } = opened;
	return {
		writeTracker: async (vm, chain, facts) => {
			await opened.here();
			const directory = await existingChain(opened, vm, chain);
			await files.writeText(`${directory}/tracker.json`, jsonText(facts));
		},
		endChain: async (vm, chain, end) => {
			await opened.here();
			const directory = await existingChain(opened, vm, chain);
			// The first reason stands.
			await files.createText(`${directory}/ended.json`, jsonText(end));
		},
		writeMarks: async (backup, marks) => {
			await opened.here();
			await writeMarks(files, opened.layout.backup(backup.manifest.identity), marks);
		},
		keepValidation: async (backup, name, kept) => {
			await opened.here();
			const { path } = { path: opened.layout.backup(backup.manifest.identity) };
			await keepValidationFiles(files, path, name, kept);
		},
		moveToTrash: async (backup) => {
			await opened.here();
			return await moveToTrash(opened, deps.clock, backup);
		},
	};
};

/** Opens the repository in a directory. Rejects with REPOSITORY_INVALID (missing, no directory, empty because nothing is mounted, none of
 * knib's, another one than expected), REPOSITORY_FORMAT, REPOSITORY_UNREACHABLE. */
export const openRepository = async (options: OpenOptions): Promise<Repository> => {
	const { expectedId, path, ...deps } = options;
	const root = resolve(path);
	const layout = layoutOf(root);
	const files = createRepositoryFiles({ root, group: deps.qemuGroup, hook: deps.hook });
	const file = await answerWithin(root, readRepositoryFile(files, layout));
	if (expectedId !== undefined) assertIdentity(file, expectedId, root);
	const here = async (): Promise<void> =>
		assertIdentity(await readRepositoryFile(files, layout), file.id, root);
	const opened: Opened = { id: file.id, layout, files, file, deps, here };
	return {
		id: file.id,
		name: file.name,
		path: root,
		state: () =>
			answerWithin(
				root,
				here().then(() => readRepositoryState(layout, file.id)),
			),
		...reading(opened),
		...guarding(opened),
		...publishing(opened),
		...recording(opened),
	};
};
