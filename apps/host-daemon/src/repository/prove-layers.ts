import type { Layer, PublishedBackup } from "@knib/core";
import { asKnibError } from "@knib/core";
import { sha256 } from "./checksums.ts";
import type { FileStart } from "./file-reads.ts";
import type { RepositoryFiles } from "./files.ts";
import { HEADER_BYTES, parseQcow2Header, type Qcow2Header } from "./qcow2-header.ts";

const headerDiffers = (header: Qcow2Header, layer: Layer): string | undefined => {
	if (header.dataFile) return "keeps its data in a second file";
	if (header.corrupt) return "is marked corrupt";
	if (header.virtualSize !== BigInt(layer.virtualSize)) return "is of another virtual size";
	if (header.backing !== layer.backing) {
		return `stands on ${JSON.stringify(header.backing)}, not on ${JSON.stringify(layer.backing)}`;
	}
	if (layer.backing !== null && header.backingFormat !== "qcow2") {
		return "does not say that its backing file is qcow2";
	}
	return undefined;
};

/** How a layer's file differs from what its manifest says, judged by its size and its first 64 KiB; undefined when it does not. */
export const layerDiffers = (start: FileStart, layer: Layer): string | undefined => {
	if (start.stats.size !== layer.size) {
		return `is ${start.stats.size} bytes long, not ${layer.size}`;
	}
	if (sha256(start.bytes) !== layer.headerDigest) return "has another header than was published";
	const parsed = parseQcow2Header(start.bytes);
	return "problem" in parsed ? parsed.problem : headerDiffers(parsed.header, layer);
};

/** Checks the layers in a directory against a manifest's. An empty list is proof; a file system that does not answer is a rejection. */
export const proveLayersIn = async (
	files: Pick<RepositoryFiles, "readStart">,
	directory: string,
	layers: readonly Layer[],
): Promise<readonly string[]> => {
	const problems: string[] = [];
	for (const layer of layers) {
		const path = `${directory}/${layer.file}`;
		try {
			const start = await files.readStart(path, HEADER_BYTES);
			const differs = start === undefined ? "is missing" : layerDiffers(start, layer);
			if (differs !== undefined) problems.push(`${path} ${differs}`);
		} catch (thrown) {
			const error = asKnibError(thrown);
			if (error.code !== "REPOSITORY_INVALID") throw error;
			problems.push(error.message);
		}
	}
	return problems;
};

/** The port's `proveLayers`. */
export const proveLayers = (
	files: Pick<RepositoryFiles, "readStart">,
	backup: PublishedBackup,
): Promise<readonly string[]> =>
	proveLayersIn(files, backup.path, backup.manifest.generation.layers);
