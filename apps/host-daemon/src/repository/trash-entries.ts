// What lies in a repository's trash: deleted backups and layers that were replaced. Nothing here is unlinked but by `purge`, which
// takes an entry away by one rename first, so that whoever brings it back and whoever ends it cannot both win.
import {
	type Chain,
	instantSchema,
	KnibError,
	type Manifest,
	manifestSchema,
	type PublishedBackup,
	type SweepRecord,
	type TrashEntry,
	uuidSchema,
} from "@knib/core";
import { z } from "zod";
import { repositoryError } from "./errno.ts";
import { jsonText, readJson } from "./json-file.ts";
import { backupName } from "./layout.ts";
import { readBackup } from "./read-backup.ts";
import { type ChainSource, readChain } from "./read-chain.ts";

const ENTRY = /^(\d{8}T\d{9}Z)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\.g\d+)?$/;
const PURGED = /^\.purged-/;

/** `deleted.json` in a backup's directory: with what it was deleted. */
const sweepFileSchema = z.strictObject({
	/** Ids of all that went together, this one included, the newest first. */
	sweep: z.array(uuidSchema).min(1),
	by: z.string(),
	at: instantSchema,
	job: z.string().optional(),
});

const SWEEP_FILE = "deleted.json";

/** Notes in a published backup with what it is about to be deleted. Says nothing by itself: only the move into the trash deletes. */
export const recordSweep = async (
	source: ChainSource,
	backup: PublishedBackup,
	record: SweepRecord,
): Promise<void> => {
	const directory = source.layout.backup(backup.manifest.identity);
	await source.files.writeText(`${directory}/${SWEEP_FILE}`, jsonText(record));
};

const manifestIn = async (source: ChainSource, directory: string): Promise<Manifest | null> => {
	const read = await readJson(source.files, `${directory}/manifest.json`, manifestSchema);
	return read !== undefined && "value" in read ? read.value : null;
};

const backupEntry = async (
	source: ChainSource,
	name: string,
	backup: string,
): Promise<TrashEntry> => {
	const directory = `${source.layout.trash}/${name}`;
	const manifest = await manifestIn(source, directory);
	const sweep = await readJson(source.files, `${directory}/${SWEEP_FILE}`, sweepFileSchema);
	if (sweep === undefined || !("value" in sweep)) {
		return { name, kind: "backup", backup, manifest, sweep: [backup] };
	}
	const { by, at, job } = sweep.value;
	return {
		name,
		kind: "backup",
		backup,
		manifest,
		sweep: sweep.value.sweep,
		deleted: { by, at, ...(job === undefined ? {} : { job }) },
	};
};

/** Everything in the trash, by its names; what knib did not put there is left out. */
export const listTrash = async (source: ChainSource): Promise<readonly TrashEntry[]> => {
	const found: TrashEntry[] = [];
	const entries = (await source.files.list(source.layout.trash)) ?? [];
	for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
		const [, , backup, generation] = ENTRY.exec(entry.name) ?? [];
		if (backup === undefined || !entry.isDirectory()) continue;
		found.push(
			generation === undefined
				? await backupEntry(source, entry.name, backup)
				: { name: entry.name, kind: "layers", backup, manifest: null, sweep: [backup] },
		);
	}
	return found;
};

const stands = (manifest: Manifest, chain: Chain): boolean => {
	const newest = chain.members.at(-1)?.manifest;
	if (manifest.parent === null) return newest === undefined;
	return (
		newest?.identity.id === manifest.parent.id &&
		newest.identityDigest === manifest.parent.identityDigest
	);
};

/** Moves a deleted backup back to the end of its chain. Rejects with REFUSED when what it stands on is not the newest there. The caller holds the VM's lease. */
export const undelete = async (
	source: ChainSource,
	entry: Pick<TrashEntry, "name" | "manifest">,
): Promise<PublishedBackup> => {
	const { files, layout } = source;
	const { manifest } = entry;
	if (manifest === null) {
		throw new KnibError("MANIFEST_INVALID", `${entry.name} in the trash has no readable manifest`);
	}
	const { vm, chain: chainId } = manifest.identity;
	const chain = await readChain(source, vm, chainId);
	if (!stands(manifest, chain)) {
		throw new KnibError(
			"REFUSED",
			`backup ${manifest.identity.id} does not continue its chain as it is now`,
		);
	}
	const from = `${layout.trash}/${entry.name}`;
	const to = layout.backup(manifest.identity);
	await files.makeDirectory(layout.vm(vm));
	await files.makeDirectory(layout.chain(vm, chainId));
	await files.move(from, to).catch((thrown: unknown) => {
		throw repositoryError(thrown, `bring ${from} back`, "write");
	});
	await files.syncDirectory(layout.chain(vm, chainId));
	await files.syncDirectory(layout.trash);
	await files.remove(`${to}/${SWEEP_FILE}`);
	const place = { vm, chain: chainId, name: backupName(manifest.identity) };
	const read = await readBackup(files, to, place);
	if (read.backup !== undefined) return read.backup;
	throw new KnibError("MANIFEST_INVALID", read.problems[0] ?? `${to} cannot be read`);
};

/** Removes an entry of the trash for good; one that is gone is success. Refuses names that are none of the trash's. */
export const purge = async (source: ChainSource, name: string): Promise<void> => {
	const { files, layout } = source;
	if (!ENTRY.test(name)) throw new KnibError("INTERNAL", `${name} is no name of the trash`);
	const from = `${layout.trash}/${name}`;
	const to = `${layout.trash}/.purged-${name}`;
	if ((await files.look(from)) !== undefined) {
		await files.move(from, to).catch((thrown: unknown) => {
			throw repositoryError(thrown, `remove ${from}`, "write");
		});
	}
	if ((await files.look(to)) !== undefined) await files.removeTree(to);
};

/** Ends purges that were cut short. */
export const endPurges = async (source: ChainSource): Promise<void> => {
	const { files, layout } = source;
	for (const entry of (await files.list(layout.trash)) ?? []) {
		if (PURGED.test(entry.name)) await files.removeTree(`${layout.trash}/${entry.name}`);
	}
};
