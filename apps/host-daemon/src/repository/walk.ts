// Walks the directories of a repository: VMs, their chains, their backups.
import { type Chain, KnibError, type PublishedBackup } from "@knib/core";
import { isUuid, parseBackupName } from "./layout.ts";
import { readBackup } from "./read-backup.ts";
import { type ChainSource, readChain } from "./read-chain.ts";

/** Uuids that are entries of a directory, sorted; what is not a plain file counts. Rejects with REPOSITORY_INVALID when the directory is missing. */
export const uuidsIn = async (
	source: ChainSource,
	directory: string,
): Promise<readonly string[]> => {
	const entries = await source.files.list(directory);
	if (entries === undefined) {
		throw new KnibError("REPOSITORY_INVALID", `the directory ${directory} is missing`);
	}
	return entries
		.filter((entry) => isUuid(entry.name) && !entry.isFile())
		.map((entry) => entry.name)
		.sort();
};

const chainsOf = async (source: ChainSource, vm: string): Promise<readonly string[]> => {
	const directory = source.layout.vm(vm);
	const stats = await source.files.look(directory);
	if (stats === undefined) return [];
	if (stats.isDirectory()) return uuidsIn(source, directory);
	throw new KnibError("REPOSITORY_INVALID", `${directory} is not a directory`);
};

const isDirectory = async (source: ChainSource, path: string): Promise<boolean> =>
	(await source.files.look(path))?.isDirectory() === true;

/** Whether a VM has anything that may be a backup. What cannot be listed may be one. */
export const hasBackups = async (source: ChainSource, vm: string): Promise<boolean> => {
	if (!(await isDirectory(source, source.layout.vm(vm)))) return true;
	for (const chain of await chainsOf(source, vm)) {
		const directory = source.layout.chain(vm, chain);
		if (!(await isDirectory(source, directory))) return true;
		const entries = (await source.files.list(directory)) ?? [];
		if (entries.some((entry) => parseBackupName(entry.name) !== undefined)) return true;
	}
	return false;
};

const startOf = (chain: Chain): string => chain.members[0]?.manifest.createdAt ?? "";

const isTrace = (chain: Chain): boolean =>
	chain.members.length === 0 && chain.problems.length === 0 && chain.end === null;

/** All chains of a VM, oldest first; directories that a cut-short publication made are left out. */
export const readChains = async (source: ChainSource, vm: string): Promise<readonly Chain[]> => {
	const chains: Chain[] = [];
	for (const id of await chainsOf(source, vm)) chains.push(await readChain(source, vm, id));
	return chains
		.filter((chain) => !isTrace(chain))
		.sort((a, b) => (`${startOf(a)} ${a.id}` < `${startOf(b)} ${b.id}` ? -1 : 1));
};

const findIn = async (
	source: ChainSource,
	vm: string,
	backup: string,
): Promise<PublishedBackup | undefined> => {
	// A link is not followed, so nothing behind it is a backup here.
	if (!(await isDirectory(source, source.layout.vm(vm)))) return undefined;
	for (const chain of await chainsOf(source, vm)) {
		const directory = source.layout.chain(vm, chain);
		if (!(await isDirectory(source, directory))) continue;
		const entries = (await source.files.list(directory)) ?? [];
		const entry = entries.find(({ name }) => parseBackupName(name)?.id === backup);
		if (entry === undefined) continue;
		const place = { vm, chain, name: entry.name };
		const read = await readBackup(source.files, `${directory}/${entry.name}`, place);
		if (read.backup !== undefined) return read.backup;
		const why = read.problems[0] ?? "it cannot be read";
		throw new KnibError("MANIFEST_INVALID", `backup ${backup} cannot be trusted: ${why}`);
	}
	return undefined;
};

/** A published backup by its id. Rejects with MANIFEST_INVALID when it is there and cannot be trusted. */
export const findBackup = async (
	source: ChainSource,
	backup: string,
): Promise<PublishedBackup | undefined> => {
	for (const vm of await uuidsIn(source, source.layout.vms)) {
		const found = await findIn(source, vm, backup);
		if (found !== undefined) return found;
	}
	return undefined;
};

/** The highest fencing number in a VM's manifests: numbers grow on even if the lease's files were lost. */
export const highestFencing = async (source: ChainSource, vm: string): Promise<number> => {
	const chains = await readChains(source, vm);
	const members = chains.flatMap((chain) => chain.members);
	return Math.max(0, ...members.map(({ manifest }) => manifest.identity.fencing));
};
