// Phase 2 of a compression: the new layers are proven against the old ones, which are proven by their own digests in the same job
// (SAFETY F9), and then put in their place under the VM's lease (SAFETY F8).
import {
	admit,
	type CompressPlan,
	type Extent,
	type Generation,
	KnibError,
	type Layer,
	type LayerFacts,
	notNow,
	type Outcomes,
	type PublishedBackup,
	type Repository,
} from "@knib/core";
import { gatherAdmission } from "../../facts/gather-service.ts";
import type { Executor, StepContext } from "../context.ts";
import { coversAll } from "./compare-layer.ts";
import { markCompression, servicePlanOf, subjectOf, verifyLayersOf } from "./compress.ts";

const ownOf = (extents: readonly Extent[]): readonly Extent[] =>
	extents.filter((extent) => extent.present && extent.depth === 0);

const differs = (layer: CompressPlan, message: string): KnibError =>
	new KnibError("VERIFY_FAILED", `${layer.compressed} does not read as ${layer.path}: ${message}`);

/** Whether two layers on the same parent hold the same, told without reading the parent. */
const sameOwnData = async (context: StepContext, layer: CompressPlan): Promise<boolean> => {
	const { images } = context.deps;
	const [old, made] = [layer.path, layer.compressed].map((path) => ({ path, format: "qcow2" }));
	if (old === undefined || made === undefined) return false;
	const own = ownOf(await images.map(old.path, "qcow2"));
	const copied = ownOf(await images.map(made.path, "qcow2"));
	if (!coversAll(own, copied)) throw differs(layer, "parts of it are missing");
	const options = { signal: context.signal, topOnly: true };
	return (await images.compare(old, made, options)).identical;
};

const compareLayers = async (
	context: StepContext,
	layer: CompressPlan,
	onProgress: (fraction: number) => void,
): Promise<void> => {
	if (layer.backing !== null && (await sameOwnData(context, layer))) return;
	const result = await context.deps.images.compare(
		{ path: layer.path, format: "qcow2" },
		{ path: layer.compressed, format: "qcow2" },
		{ signal: context.signal, onProgress },
	);
	if (!result.identical) throw differs(layer, result.message);
};

const measure = async (context: StepContext, layer: CompressPlan): Promise<LayerFacts> => {
	const { images } = context.deps;
	const info = await images.info(layer.compressed, "qcow2");
	if ((info.backing?.path ?? null) !== layer.backing) {
		throw differs(layer, `it stands on ${info.backing?.path ?? "nothing"}`);
	}
	const check = await images.check(layer.compressed);
	if (!check.ok) throw differs(layer, check.message);
	await images.sync(layer.compressed);
	const hash = await images.hash(layer.compressed, { signal: context.signal });
	return { target: layer.target, virtualSize: info.virtualSize, ...hash };
};

export const beginFinalize: Executor<"begin-finalize"> = {
	run: async (_step, context) => {
		await markCompression(context, "FinalizingCompression");
		return {};
	},
	undo: async (_step, context) => {
		await markCompression(context, "Compressing", "compressed; waits to be put in place");
	},
};

/** Compares, then proves the old layer's digest: what was compared is what was published. */
export const proveCompressed: Executor<"prove-compressed"> = {
	run: async (step, context): Promise<Outcomes> => {
		const layers: LayerFacts[] = [];
		const total = step.layers.length * 100;
		for (const [index, layer] of step.layers.entries()) {
			await compareLayers(context, layer, (fraction) =>
				context.progress(Math.round((index + fraction) * 100), total, "percent"),
			);
			layers.push(await measure(context, layer));
		}
		await verifyLayersOf(context, step.layers);
		return { layers };
	},
};

const libraryOf = async (context: StepContext, path: string): Promise<"zstd" | "zlib"> => {
	const { compressionType } = await context.deps.images.info(path, "qcow2");
	return compressionType === "zstd" ? "zstd" : "zlib";
};

const nextGeneration = async (
	context: StepContext,
	repository: Repository,
	backup: PublishedBackup,
): Promise<Generation> => {
	const made = context.outcomes.layers ?? [];
	const layers: Layer[] = [];
	for (const layer of backup.manifest.generation.layers) {
		const facts = made.find((one) => one.target === layer.target);
		if (facts === undefined) {
			layers.push(layer);
			continue;
		}
		const path = repository.compressedPath(backup, layer.target);
		const { size, allocated, sha256, headerDigest } = facts;
		const compression = await libraryOf(context, path);
		layers.push({ ...layer, size, allocated, sha256, headerDigest, compression });
	}
	const { number } = backup.manifest.generation;
	return { number: number + 1, publishedAt: context.deps.clock.now(), layers };
};

/** Asked once more right before the first rename, under the lease: a hold may have come since the plan was made. */
const assertAdmitted = async (context: StepContext, repository: Repository): Promise<void> => {
	const plan = servicePlanOf(context);
	const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === plan.chain);
	if (chain === undefined) throw new KnibError("NOT_FOUND", `chain ${plan.chain} is gone`);
	const facts = await gatherAdmission(context.deps, repository, chain, context.job);
	const obstacles = admit("finalize", plan.backup, facts);
	const [first] = obstacles;
	if (first === undefined) return;
	const message = `the layers of backup ${plan.backup} are not switched: ${first.reason}`;
	throw first.code === "REFUSED" ? new KnibError("REFUSED", message) : notNow(message);
};

const isSwitched = (context: StepContext, backup: PublishedBackup): boolean => {
	const made = context.outcomes.layers ?? [];
	const { layers } = backup.manifest.generation;
	return (
		made.length > 0 && made.every((one) => layers.some((layer) => layer.sha256 === one.sha256))
	);
};

const switchNow = async (context: StepContext): Promise<Outcomes> => {
	const { clock, host } = context.deps;
	await (await context.lease()).check();
	let { repository, backup } = await subjectOf(context);
	if ((await repository.settleSwitch(backup)) === "undone") {
		throw new KnibError("INTERRUPTED", "a switch that was begun could not be ended and was undone");
	}
	({ repository, backup } = await subjectOf(context));
	if (!isSwitched(context, backup) && context.outcomes.layers !== undefined) {
		await assertAdmitted(context, repository);
		const next = await nextGeneration(context, repository, backup);
		const by = { host: host.id, at: clock.now() };
		backup = await repository.switchLayers(backup, next, by);
	}
	await markCompression(context, "Compressed");
	return { manifest: backup.manifest };
};

/** Replaces the layers and publishes the next generation; no other job of this host changes the VM's chains meanwhile. */
export const switchLayers: Executor<"switch-layers"> = {
	run: (_step, context) => context.exclusive(() => switchNow(context)),
	undo: (_step, context) =>
		context.exclusive(async () => {
			const { repository, backup } = await subjectOf(context);
			await context.lease();
			await repository.settleSwitch(backup);
		}),
};

/** Deletes compressed files that are not wanted any more: the backup was removed meanwhile. */
export const discardCompressed: Executor<"discard-compressed"> = {
	run: async (_step, context) => {
		const { repository, backup } = await subjectOf(context);
		await repository.discardCompressed(backup);
		await markCompression(context, "Uncompressed");
		return {};
	},
};
