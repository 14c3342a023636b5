// Replaces layers of a published backup by others that read the same, and publishes the next generation (SAFETY F8): switch.json,
// then the layers one by one, SHA256SUMS, the manifest, and last switch.json goes. At every moment each layer's name leads to a whole
// file. Old layers go into the trash. Every act may be repeated by any host.
import {
	type Generation,
	KnibError,
	type Manifest,
	type PublishedBackup,
	type Repository,
} from "@knib/core";
import { formatChecksums, parseChecksums, sha256 } from "./checksums.ts";
import { compressedName } from "./compressed-files.ts";
import { errnoOf, repositoryError } from "./errno.ts";
import { MODES } from "./file-writes.ts";
import { jsonText } from "./json-file.ts";
import { backupName } from "./layout.ts";
import { readBackup } from "./read-backup.ts";
import type { ChainSource } from "./read-chain.ts";
import { fileMark, readSwitch, SWITCH_FILE, type SwitchFile } from "./switch-file.ts";
import { trashName } from "./trash.ts";

type Place = {
	readonly source: ChainSource;
	readonly directory: string;
	readonly current: SwitchFile;
};
type SwitchedLayer = SwitchFile["layers"][number];

const layerOf = (generation: Generation, target: string) =>
	generation.layers.find((layer) => layer.target === target);

const is = (
	mark: { readonly size: number; readonly headerDigest: string } | undefined,
	layer: { readonly size: number; readonly headerDigest: string } | undefined,
): boolean =>
	mark !== undefined &&
	layer !== undefined &&
	mark.size === layer.size &&
	mark.headerDigest === layer.headerDigest;

type Standing = "old" | "new" | "ready" | "lost";

/** Where one layer stands: `old` in place and the new one gone, `ready` the new one beside it, `new` in place, `lost` neither. */
const standingOf = async (place: Place, one: SwitchedLayer): Promise<Standing> => {
	const { source, directory, current } = place;
	const next = layerOf(current.to, one.target);
	const now = await fileMark(source.files, `${directory}/${one.file}`);
	if (is(now, next)) return "new";
	if (is(await fileMark(source.files, `${directory}/${one.compressed}`), next)) return "ready";
	return is(now, layerOf(current.from, one.target)) ? "old" : "lost";
};

const trashOf = (place: Place): string => `${place.source.layout.trash}/${place.current.trash}`;

/** Puts the old layer into the trash under a second name, so that the rename that follows leaves no moment without the file. Where the file system has no links it is renamed. */
const keepOld = async (place: Place, one: SwitchedLayer): Promise<void> => {
	const { files } = place.source;
	const from = `${place.directory}/${one.file}`;
	const to = `${trashOf(place)}/${one.file}`;
	if ((await files.look(to)) !== undefined || (await files.look(from)) === undefined) return;
	await files.linkFile(from, to).catch(async (thrown: unknown) => {
		if (errnoOf(thrown) === "EEXIST") return;
		await files.move(from, to).catch((error: unknown) => {
			throw repositoryError(error, `move ${from} into the trash`, "write");
		});
	});
	await files.syncDirectory(trashOf(place));
};

const putInPlace = async (place: Place, one: SwitchedLayer): Promise<void> => {
	const { files } = place.source;
	await keepOld(place, one);
	const from = `${place.directory}/${one.compressed}`;
	await files.move(from, `${place.directory}/${one.file}`).catch((thrown: unknown) => {
		throw repositoryError(thrown, `put ${from} in place`, "write");
	});
	await files.syncDirectory(place.directory);
};

const writeGeneration = async (
	place: Place,
	manifest: Manifest,
	generation: Generation,
	parent: Manifest["parent"] | undefined,
): Promise<void> => {
	const { files } = place.source;
	const path = `${place.directory}/SHA256SUMS`;
	const before = parseChecksums((await files.readText(path)) ?? "");
	if (before === undefined) throw new KnibError("MANIFEST_INVALID", `${path} cannot be read`);
	const text = jsonText({ ...manifest, generation, parent: parent ?? manifest.parent });
	const sums = new Map(before);
	for (const layer of generation.layers) sums.set(layer.file, layer.sha256);
	sums.set("manifest.json", sha256(text));
	await files.writeText(
		path,
		formatChecksums([...sums].map(([file, digest]) => ({ file, sha256: digest }))),
	);
	await files.writeText(`${place.directory}/manifest.json`, text);
};

const finish = async (place: Place, manifest: Manifest): Promise<void> => {
	const { source, directory, current } = place;
	await source.files.makeDirectory(source.layout.trash);
	await source.files.makeDirectory(trashOf(place));
	for (const one of current.layers) {
		if ((await standingOf(place, one)) === "ready") await putInPlace(place, one);
	}
	await writeGeneration(place, manifest, current.to, current.parent?.to);
	await source.files.remove(`${directory}/${SWITCH_FILE}`);
	await source.files.syncDirectory(directory);
};

/** Back to the old layers, from the trash where they are there. The new ones are left beside them where they are, or given up. */
const undo = async (place: Place, manifest: Manifest): Promise<void> => {
	const { source, directory, current } = place;
	for (const one of current.layers) {
		const old = `${trashOf(place)}/${one.file}`;
		const mark = await fileMark(source.files, old);
		if (!is(mark, layerOf(current.from, one.target))) continue;
		await source.files.move(old, `${directory}/${one.file}`).catch((thrown: unknown) => {
			throw repositoryError(thrown, `put ${old} back`, "write");
		});
	}
	await source.files.syncDirectory(directory);
	await writeGeneration(place, manifest, current.from, current.parent?.from);
	await source.files.remove(`${directory}/${SWITCH_FILE}`);
	await source.files.syncDirectory(directory);
};

const readManifest = async (source: ChainSource, directory: string): Promise<Manifest> => {
	const [chain = "", name = ""] = directory.split("/").slice(-2);
	const vm = directory.split("/").at(-3) ?? "";
	const read = await readBackup(source.files, directory, { vm, chain, name });
	if (read.backup !== undefined) return read.backup.manifest;
	throw new KnibError("MANIFEST_INVALID", read.problems[0] ?? `${directory} cannot be read`);
};

/** Ends a switch that somebody began: forward where every new layer is in place or beside, else back. Repeatable; the caller holds the VM's lease. */
export const settleSwitch = async (
	source: ChainSource,
	backup: PublishedBackup,
): Promise<"finished" | "undone" | "none"> => {
	const directory = source.layout.backup(backup.manifest.identity);
	const current = await readSwitch(source.files, directory);
	if (current === undefined) return "none";
	if ("problem" in current) throw new KnibError("MANIFEST_INVALID", current.problem);
	const manifest = await readManifest(source, directory);
	const place: Place = { source, directory, current };
	const standings = await Promise.all(current.layers.map((one) => standingOf(place, one)));
	if (standings.every((standing) => standing === "new" || standing === "ready")) {
		await finish(place, manifest);
		return "finished";
	}
	await undo(place, manifest);
	return "undone";
};

const assertReady = async (place: Place): Promise<void> => {
	for (const one of place.current.layers) {
		const path = `${place.directory}/${one.compressed}`;
		if ((await standingOf(place, one)) !== "ready") {
			throw new KnibError("VERIFY_FAILED", `${path} is not the file that was proven`);
		}
		await place.source.files.settle(path, MODES.file);
	}
	await place.source.files.syncDirectory(place.directory);
};

/** Publishes `next`, whose changed layers lie beside the old ones under their compressed names. The caller holds the VM's lease, has listed the holds and proven the new files. */
export const switchLayers = async (
	source: ChainSource,
	backup: PublishedBackup,
	next: Generation,
	{ host, at, parent }: Parameters<Repository["switchLayers"]>[2],
): Promise<PublishedBackup> => {
	const { files, layout } = source;
	const { manifest } = backup;
	const directory = layout.backup(manifest.identity);
	const from = manifest.generation;
	const changed = next.layers.filter(
		(layer) => layerOf(from, layer.target)?.sha256 !== layer.sha256,
	);
	const current: SwitchFile = {
		format: 1,
		host,
		at,
		from,
		to: next,
		layers: changed.map(({ target, file, size }) => ({
			target,
			file,
			compressed: compressedName(target),
			size,
		})),
		...(parent === undefined || manifest.parent === null
			? {}
			: { parent: { from: manifest.parent, to: parent } }),
		trash: `${trashName(at, manifest.identity.id)}.g${from.number}`,
	};
	await assertReady({ source, directory, current });
	await files.writeText(`${directory}/${SWITCH_FILE}`, jsonText(current));
	await finish({ source, directory, current }, manifest);
	const place = { vm: manifest.identity.vm, chain: manifest.identity.chain };
	const read = await readBackup(files, directory, {
		...place,
		name: backupName(manifest.identity),
	});
	if (read.backup !== undefined) return read.backup;
	throw new KnibError("MANIFEST_INVALID", read.problems[0] ?? `${directory} cannot be read`);
};
