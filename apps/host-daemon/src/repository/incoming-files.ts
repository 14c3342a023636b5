// What lies in `incoming/<backup>` before it is published: exactly the layers and the machine's files, each a regular file.
import { KnibError, type Manifest } from "@knib/core";
import { isTemporaryName } from "./file-writes.ts";
import type { RepositoryFiles } from "./files.ts";

/** A file or directory of an unpublished backup; `name` is relative to its directory. */
export type IncomingFile = {
	readonly name: string;
	readonly kind: "layer" | "machine" | "machine-directory";
};

/** Files that publication writes itself. */
const WRITTEN = new Set(["SHA256SUMS", "manifest.json"]);

const unfit = (path: string, words: string): KnibError =>
	new KnibError("VERIFY_FAILED", `cannot publish: ${path} ${words}`);

const machineFiles = async (
	files: RepositoryFiles,
	directory: string,
	name: string,
): Promise<readonly IncomingFile[]> => {
	const path = `${directory}/${name}`;
	const stats = await files.look(path);
	if (stats === undefined) throw unfit(path, "is missing");
	if (stats.isFile()) return [{ name, kind: "machine" }];
	if (!stats.isDirectory()) throw unfit(path, "is neither a file nor a directory");
	const entries = (await files.list(path)) ?? [];
	const inside: IncomingFile[] = [];
	for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
		inside.push(...(await machineFiles(files, directory, `${name}/${entry.name}`)));
	}
	return [...inside, { name, kind: "machine-directory" }];
};

/** Lists the files that the manifest names, and removes what a torn publication left. Rejects with VERIFY_FAILED when one is missing or there is one that nobody named. */
export const incomingFiles = async (
	files: RepositoryFiles,
	directory: string,
	manifest: Manifest,
): Promise<readonly IncomingFile[]> => {
	const layers = manifest.generation.layers.map((layer) => layer.file);
	const named = new Set([...layers, ...manifest.machine.files]);
	const entries = await files.list(directory);
	if (entries === undefined) throw unfit(directory, "is missing");
	for (const { name } of entries) {
		if (isTemporaryName(name)) await files.remove(`${directory}/${name}`);
		else if (!named.has(name) && !WRITTEN.has(name)) {
			throw unfit(`${directory}/${name}`, "is not named by the manifest");
		}
	}
	const found: IncomingFile[] = layers.map((name) => ({ name, kind: "layer" }));
	for (const name of manifest.machine.files) {
		if (name.includes("/") || name.startsWith(".")) throw unfit(name, "is no name of a file");
		found.push(...(await machineFiles(files, directory, name)));
	}
	return found;
};
