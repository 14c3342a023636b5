// The repository port: a directory of backups as the daemon sees it (docs/spec/repository.md). Real implementation on a file
// system, in-memory twin for unit tests, one contract suite over both.
import type { BackupMarks, Chain, ChainEnd, PublishedBackup } from "./domain/chain.ts";
import type { Manifest, TrackerFacts } from "./domain/manifest.ts";

/** What is known of a repository without reading its backups. */
export type RepositoryState = {
	readonly id: string;
	readonly path: string;
	readonly capacity: number;
	readonly free: number;
	readonly writable: boolean;
};

/** A lease taken on a VM in this repository: what its holder may do carries its number (I6). */
export type Lease = {
	readonly vm: string;
	readonly fencing: number;
	/** Proves that it is still held, by a new read; rejects with LEASE_HELD when another host has taken it. */
	check(): Promise<void>;
	/** Gives it back; the file and its number stay. */
	release(): Promise<void>;
};

/** A reader that outlives a command and must not lose its files (SAFETY F7). */
export type Hold = { release(): Promise<void> };

/** With what a backup was deleted. */
export type SweepRecord = {
	/** Ids of all that go together, the newest first. */
	readonly sweep: readonly string[];
	readonly by: string;
	readonly at: string;
	/** The job that deletes it. */
	readonly job?: string;
};

/** What lies in a repository's trash. */
export type TrashEntry = {
	readonly name: string;
	/** A deleted backup, or layers that a switch has replaced. */
	readonly kind: "backup" | "layers";
	/** Id of the backup. */
	readonly backup: string;
	/** Null where there is none or it cannot be read. */
	readonly manifest: Manifest | null;
	/** Ids of all backups that were deleted together with this one, itself included. */
	readonly sweep: readonly string[];
	/** Who deleted it and when; absent where that was not noted. */
	readonly deleted?: Omit<SweepRecord, "sweep">;
};

/** Facts of an unpublished backup directory. */
export type Incoming = { readonly path: string };

/** One opened repository. Rejects with REPOSITORY_* codes, MANIFEST_INVALID, LEASE_HELD; an unreadable directory is a rejection, never an empty list. */
export interface Repository {
	readonly id: string;
	readonly name: string;
	readonly path: string;
	/** Reads `knib-repository.json` again: a mount that went away is noticed here. */
	state(): Promise<RepositoryState>;
	/** Uuids of all VMs with backups here. */
	vms(): Promise<readonly string[]>;
	/** All chains of a VM, oldest first, every manifest checked (schema, identity digest, links, layer sizes and header digests). */
	chains(vm: string): Promise<readonly Chain[]>;
	/** One backup wherever it is; undefined when there is none. */
	find(backup: string): Promise<PublishedBackup | undefined>;
	/** Proves that a published backup's layers are those of its current generation: size, backing file, header digest. Empty list = proven; else what differs, in words. */
	proveLayers(backup: PublishedBackup): Promise<readonly string[]>;
	/** The digests that a published backup's `SHA256SUMS` names, by file. Rejects with MANIFEST_INVALID when it cannot be read as such. */
	digests(backup: PublishedBackup): Promise<ReadonlyMap<string, string>>;
	/** Takes or renews the VM's lease for `holder`. Waits never: LEASE_HELD with the holder's name at once, unless its counter stood still for the lease time as seen from here. */
	lease(vm: string, holder: string): Promise<Lease>;
	hold(
		vm: string,
		chain: string,
		holder: { host: string; job: string; why: string },
	): Promise<Hold>;
	/** Why a backup's chain is held, in words; empty when it is not. */
	holds(vm: string, chain: string): Promise<readonly string[]>;
	/** Makes or finds `incoming/<backup>`. */
	incoming(backup: string): Promise<Incoming>;
	/** Removes `incoming/<backup>` with everything in it; repeatable. */
	discard(backup: string): Promise<void>;
	/** Writes manifest and SHA256SUMS, syncs all files and directories, and renames the directory to its place. Repeatable: an already published same backup is success. */
	publish(manifest: Manifest): Promise<PublishedBackup>;
	/** Reads a published backup back by new opens; rejects when it is not what was written. */
	confirm(manifest: Manifest): Promise<PublishedBackup>;
	/** Absolute path that a backup has, or will have, once published. */
	pathOf(identity: Manifest["identity"]): string;
	writeTracker(vm: string, chain: string, facts: TrackerFacts): Promise<void>;
	/** Ends a chain; one that has ended keeps its first reason. */
	endChain(vm: string, chain: string, end: ChainEnd): Promise<void>;
	/** Writes the marks given and leaves the others; null takes one away. */
	writeMarks(backup: PublishedBackup, marks: Partial<BackupMarks>): Promise<void>;
	/** Keeps files in `validation/<name>/` of a published backup, each written in one act. */
	keepValidation(
		backup: PublishedBackup,
		name: string,
		files: readonly { readonly name: string; readonly contents: string | Uint8Array }[],
	): Promise<void>;
	/** Moves a published backup that nothing stands on and nobody holds into the trash, and returns its path there. Rejects with BACKUP_BUSY, REFUSED. */
	moveToTrash(backup: PublishedBackup): Promise<string>;
	/** Absolute path of the file into which a layer is compressed, beside it; scans pass its name over. */
	compressedPath(backup: PublishedBackup, target: string): string;
	/** Removes a backup's compressed files that were not put in place; repeatable. */
	discardCompressed(backup: PublishedBackup): Promise<void>;
	/** Puts the compressed files of the changed layers in the place of the old ones, which go into the trash, and publishes `next` (SAFETY F8). The caller holds the lease and has proven the files. With `parent` the backup stands on that one from then on: what was between is folded into it. */
	switchLayers(
		backup: PublishedBackup,
		next: Manifest["generation"],
		by: { host: string; at: string; parent?: NonNullable<Manifest["parent"]> },
	): Promise<PublishedBackup>;
	/** Whether a switch of layers was begun and not ended, by whatever host. */
	switching(backup: PublishedBackup): Promise<boolean>;
	/** Ends such a switch, forward where it can, else back; repeatable. The caller holds the lease. */
	settleSwitch(backup: PublishedBackup): Promise<"finished" | "undone" | "none">;
	/** Notes in a backup with what it is about to be moved into the trash. */
	recordSweep(backup: PublishedBackup, record: SweepRecord): Promise<void>;
	/** What lies in the trash, oldest first. */
	trash(): Promise<readonly TrashEntry[]>;
	/** Moves a deleted backup back to the end of its chain. The caller holds the lease. Rejects with REFUSED when it does not continue the chain as it is now. */
	undelete(entry: TrashEntry): Promise<PublishedBackup>;
	/** Removes an entry of the trash for good; one that is gone is success. */
	purge(name: string): Promise<void>;
}
