// Decides both phases of a compression (SPEC 4). Pure; everything it reads is in CompressionFacts.
import type { FinalizeCompressionRequest, StartCompressionRequest } from "../api/job-request.ts";
import type { Chain, PublishedBackup } from "../domain/chain.ts";
import type { ImageInfo } from "../domain/image.ts";
import type { Layer } from "../domain/manifest.ts";
import { type AdmissionFacts, admit, type Obstacle } from "./admission.ts";
import { type Refusal, refuse } from "./plan.ts";
import type { CompressionPlan, FinalizePlan } from "./service-plans.ts";
import { refuseForNow } from "./service-retry.ts";
import type { CompressionLibrary, CompressPlan, PublishedLayer } from "./service-steps.ts";

/** A backup as its repository holds it. */
export type ServiceSubject = {
	readonly backup: PublishedBackup;
	readonly chain: Chain;
	readonly repository: { readonly id: string; readonly name: string };
};

/** What both phases read. */
export type CompressionFacts = {
	readonly view: {
		readonly id: string;
		readonly vm: { readonly uuid: string; readonly name: string };
	};
	/** Null when no repository of this host holds it any more. */
	readonly found: ServiceSubject | null;
	readonly admission: AdmissionFacts;
	/** The library of the offering under which the backup was taken. */
	readonly library: CompressionLibrary;
	/** Facts of each layer's file, by target. */
	readonly images: ReadonlyMap<string, Pick<ImageInfo, "compat" | "actualSize">>;
	/** Absolute path of each layer's compressed file, by target, and whether it is there. */
	readonly compressed: ReadonlyMap<string, { readonly path: string; readonly there: boolean }>;
	/** A switch of layers was begun and not ended, by whatever host. */
	readonly switching: boolean;
	readonly free: number;
	/** `backup.compression.minimum.free.storage`. */
	readonly minimumFree: number;
	readonly coroutines: number;
	/** Bytes per second, 0 = no limit. */
	readonly rate: number;
};

export type StartCompressionFacts = CompressionFacts & {
	readonly request: StartCompressionRequest;
};
export type FinalizeFacts = CompressionFacts & { readonly request: FinalizeCompressionRequest };

const resolve = (directory: string, relative: string): string => {
	const parts = directory.split("/");
	for (const part of relative.split("/")) {
		if (part === "..") parts.pop();
		else parts.push(part);
	}
	return parts.join("/");
};

const libraryOf = (
	facts: CompressionFacts,
	layer: Layer,
	asked: CompressionLibrary,
): Pick<CompressPlan, "library" | "libraryReason"> => {
	const old = layer.source !== undefined || facts.images.get(layer.target)?.compat === "0.10";
	return asked === "zstd" && old
		? { library: "zlib", libraryReason: "the image is qcow2 version 2, which knows zlib only" }
		: { library: asked, libraryReason: null };
};

const planLayer = (
	facts: CompressionFacts,
	backup: PublishedBackup,
	layer: Layer,
	asked: CompressionLibrary,
): CompressPlan => ({
	target: layer.target,
	path: `${backup.path}/${layer.file}`,
	size: layer.size,
	allocated: layer.allocated,
	sha256: layer.sha256,
	compressed: facts.compressed.get(layer.target)?.path ?? "",
	backing: layer.backing === null ? null : resolve(backup.path, layer.backing),
	backingName: layer.backing,
	...libraryOf(facts, layer, asked),
});

/** An obstacle as a refusal; one that passes by itself is a "not now". */
export const refusalOf = (name: string, obstacles: readonly Obstacle[]): Refusal | undefined => {
	const [first] = obstacles;
	if (first === undefined) return undefined;
	const reasons = [...new Set(obstacles.map((one) => one.reason))];
	const message = `${name}: ${reasons.join("; ")}`;
	if (first.code === "REFUSED") return refuse("REFUSED", message, { reasons });
	return refuseForNow(message);
};

const gone = (facts: CompressionFacts): Refusal =>
	refuse("NOT_FOUND", `no repository of this host holds backup ${facts.view.id}`, {
		hint: "read the repository again with `knib repository rescan`",
	});

const sum = (layers: readonly PublishedLayer[]): number =>
	layers.reduce((total, layer) => total + layer.allocated, 0);

const baseOf = (found: ServiceSubject) => {
	const { manifest } = found.backup;
	return {
		vm: { uuid: manifest.vm.uuid, name: manifest.vm.name },
		repository: found.repository,
		backup: manifest.identity.id,
		chain: found.chain.id,
		warnings: [],
	};
};

/** Phase 1, or why it cannot begin. Nothing of what is published changes in it. */
export const planStartCompression = (facts: StartCompressionFacts): CompressionPlan | Refusal => {
	const { found, view } = facts;
	if (found === null) return gone(facts);
	const name = `backup ${view.id} is not compressed`;
	const refusal = refusalOf(name, admit("compress", view.id, facts.admission));
	if (refusal !== undefined) return refusal;
	const asked = facts.request.library ?? facts.library;
	const layers = found.backup.manifest.generation.layers
		.filter((layer) => layer.compression === null)
		.map((layer) => planLayer(facts, found.backup, layer, asked));
	if (layers.length === 0) return refuse("REFUSED", `${name}: it is compressed already`);
	const needed = Math.ceil(sum(layers) * facts.minimumFree);
	if (facts.free < needed) {
		return refuse(
			"REPOSITORY_NO_SPACE",
			`${name}: that needs ${needed} bytes free in repository ${found.repository.name}, which has ${facts.free}`,
			{
				needed,
				free: facts.free,
				hint: "free space, or lower backup.compression.minimum.free.storage",
			},
		);
	}
	return {
		...baseOf(found),
		type: "StartCompression",
		reason: `compresses ${layers.map((layer) => layer.target).join(", ")} of backup ${view.id}`,
		explain: layers.map(
			({ target, library, libraryReason, allocated }) =>
				`${target}: ${allocated} bytes with ${library}${libraryReason === null ? "" : ` (${libraryReason})`}`,
		),
		steps: [
			{ kind: "begin-compression" },
			{ kind: "verify-old-layers", layers },
			{ kind: "compress-layers", layers, coroutines: facts.coroutines, rate: facts.rate },
		],
	};
};

const discard = (found: ServiceSubject, why: string): FinalizePlan => ({
	...baseOf(found),
	type: "FinalizeCompression",
	reason: `the compressed files are deleted: ${why}`,
	explain: [],
	steps: [{ kind: "discard-compressed" }],
});

/** Phase 2, or why it cannot be made now. A backup that was removed meanwhile loses its compressed files. */
export const planFinalizeCompression = (facts: FinalizeFacts): FinalizePlan | Refusal => {
	const { found, view } = facts;
	if (found === null) return gone(facts);
	if (found.backup.marks.removed !== null && !facts.switching) {
		return discard(found, "the backup was removed meanwhile");
	}
	const name = `the layers of backup ${view.id} are not switched yet`;
	const refusal = refusalOf(name, admit("finalize", view.id, facts.admission));
	if (refusal !== undefined) return refusal;
	const layers = found.backup.manifest.generation.layers
		.filter(({ target }) => facts.compressed.get(target)?.there === true)
		.map((layer) => planLayer(facts, found.backup, layer, facts.library));
	if (layers.length === 0 && !facts.switching) {
		return refuse("REFUSED", `backup ${view.id} has no compressed files to be put in place`);
	}
	return {
		...baseOf(found),
		type: "FinalizeCompression",
		reason: facts.switching
			? "ends a switch of layers that was begun before"
			: `puts the compressed layers of ${layers.map((layer) => layer.target).join(", ")} in place`,
		explain: layers.map((layer) => `${layer.compressed} takes the place of ${layer.path}`),
		steps: [
			{ kind: "begin-finalize" },
			...(facts.switching ? [] : [{ kind: "prove-compressed", layers } as const]),
			{ kind: "switch-layers" },
		],
	};
};
