// Which layers of a chain a restore reads: for each disk its layer and, by backing file, those it stands on. Pure; the planner
// takes sizes from it, and the executors take digests from it once they hold the chain.
import type { PublishedBackup } from "../domain/chain.ts";
import type { Layer } from "../domain/manifest.ts";

/** One layer as it lies in the repository. */
export type LayerRead = {
	readonly target: string;
	/** Absolute path of the file. */
	readonly path: string;
	readonly layer: Layer;
	/** Id of the backup that it belongs to. */
	readonly backup: string;
};

/** What reading a backup back needs of its chain. */
export type RestoreReads = {
	/** For each disk its own layer first, then what it stands on, down to a self-contained one. */
	readonly disks: readonly { readonly target: string; readonly layers: readonly LayerRead[] }[];
	/** The backup and the ancestors whose layers are read, oldest first. */
	readonly ancestry: readonly PublishedBackup[];
	/** What is missing or does not fit, in words; empty when all is there. */
	readonly problems: readonly string[];
};

const directoryName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

const findLayer = (backup: PublishedBackup, target: string): Layer | undefined =>
	backup.manifest.generation.layers.find((layer) => layer.target === target);

const parentOf = (
	members: readonly PublishedBackup[],
	backup: PublishedBackup,
): PublishedBackup | undefined => {
	const parent = backup.manifest.parent;
	if (parent === null) return undefined;
	return members.find(
		({ manifest }) =>
			manifest.identity.id === parent.id && manifest.identityDigest === parent.identityDigest,
	);
};

type Walk = { readonly layers: readonly LayerRead[]; readonly problem: string | null };

const walkDisk = (
	members: readonly PublishedBackup[],
	backup: PublishedBackup,
	target: string,
): Walk => {
	const layers: LayerRead[] = [];
	let at: PublishedBackup | undefined = backup;
	while (at !== undefined && layers.length < members.length) {
		const layer = findLayer(at, target);
		if (layer === undefined) return { layers, problem: `${at.path} holds no layer of ${target}` };
		const { id } = at.manifest.identity;
		layers.push({ target, path: `${at.path}/${layer.file}`, layer, backup: id });
		if (layer.backing === null) return { layers, problem: null };
		const parent = parentOf(members, at);
		if (parent === undefined) {
			return { layers, problem: `the parent of backup ${id} is not in its chain` };
		}
		const below = findLayer(parent, target);
		if (layer.backing !== `../${directoryName(parent.path)}/${below?.file ?? ""}`) {
			return { layers, problem: `${at.path}/${layer.file} stands on ${layer.backing}` };
		}
		at = parent;
	}
	return { layers, problem: `the layers of ${target} have no self-contained one below them` };
};

/** The layers that restoring `backup` reads. `members` are those of its chain; the backup itself must be among them. */
export const readLayers = (
	members: readonly PublishedBackup[],
	backup: PublishedBackup,
): RestoreReads => {
	const walks = backup.manifest.generation.layers.map(({ target }) => ({
		target,
		...walkDisk(members, backup, target),
	}));
	const read = new Set(walks.flatMap((walk) => walk.layers.map((one) => one.backup)));
	return {
		disks: walks.map(({ target, layers }) => ({ target, layers })),
		ancestry: members.filter(({ manifest }) => read.has(manifest.identity.id)),
		problems: walks.flatMap(({ problem }) => (problem === null ? [] : [problem])),
	};
};

/** Bytes that a disk takes once its layers are flattened: at most what they held uncompressed, never more than the disk. */
export const restoredBytes = (layers: readonly LayerRead[]): number => {
	const held = layers.reduce(
		(sum, { layer }) =>
			sum + (layer.compression === null ? layer.allocated : layer.uncompressedSize),
		0,
	);
	return Math.min(held, layers[0]?.layer.virtualSize ?? held);
};
