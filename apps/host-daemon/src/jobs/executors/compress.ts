// Phase 1 of a compression: the old layers' own digests first, so that rot is never laundered (SAFETY F9), then a new file beside each.
// Nothing that is published changes.
import {
	asKnibError,
	type BackupMarks,
	type CompressPlan,
	KnibError,
	type Outcomes,
	type PublishedBackup,
	type PublishedLayer,
	type Repository,
	type ServicePlan,
} from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { refreshChain } from "./validation-record.ts";

/** The plan of a compression or deletion. */
export const servicePlanOf = ({ plan }: StepContext): ServicePlan => {
	if (
		plan.type === "StartCompression" ||
		plan.type === "FinalizeCompression" ||
		plan.type === "DeleteBackup"
	) {
		return plan;
	}
	throw new KnibError("INTERNAL", `a ${plan.type} has no such step`);
};

/** The backup of the plan, or another one of its chain, as its repository holds it now. */
export const subjectOf = async (
	context: StepContext,
	id = servicePlanOf(context).backup,
): Promise<{ readonly repository: Repository; readonly backup: PublishedBackup }> => {
	const plan = servicePlanOf(context);
	const repository = await context.repository();
	const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === plan.chain);
	const backup = chain?.members.find((one) => one.manifest.identity.id === id);
	if (backup !== undefined) return { repository, backup };
	throw new KnibError("NOT_FOUND", `backup ${id} is not in its repository any more`);
};

/** Writes a backup's compression status where everybody sees it, and brings the view up to date. */
export const markCompression = async (
	context: StepContext,
	status: BackupMarks["compression"]["status"],
	message: string | null = null,
): Promise<void> => {
	const { repository, backup } = await subjectOf(context);
	await repository.writeMarks(backup, { compression: { status, message } });
	await refreshChain(context.deps, servicePlanOf(context)).catch((thrown: unknown) => {
		context.log("warn", `the view is behind: ${asKnibError(thrown).message}`);
	});
};

export const beginCompression: Executor<"begin-compression"> = {
	run: async (_step, context) => {
		await markCompression(context, "Compressing");
		return {};
	},
	undo: async (_step, context) => {
		await markCompression(context, "Uncompressed");
	},
};

/** A backup whose bytes are not what was published: it is not valid, whatever was asked for. */
const condemn = async (context: StepContext, id: string, message: string): Promise<void> => {
	const plan = servicePlanOf(context);
	const { catalog, clock, host } = context.deps;
	const { repository, backup } = await subjectOf(context, id);
	const { steps } = backup.marks.validation;
	await repository.writeMarks(backup, { validation: { status: "NotValid", message, steps } });
	await catalog.alert({ kind: "not valid", backup: id, vm: plan.vm, text: message });
	const ends = await catalog.setting("backup.validation.end.chain.on.fail", { vm: plan.vm.uuid });
	if (!ends) return;
	const reason = `backup ${id} is not valid: ${message}`;
	await repository.endChain(plan.vm.uuid, plan.chain, { reason, at: clock.now(), host: host.id });
};

/** Sums the progress of files that are read one after another. */
const progressOver = (context: StepContext, layers: readonly PublishedLayer[]) => {
	const total = layers.reduce((sum, layer) => sum + layer.allocated, 0);
	let before = 0;
	return {
		at: (layer: PublishedLayer) => (fraction: number) =>
			context.progress(
				Math.round(before + layer.allocated * Math.min(1, fraction)),
				total,
				"bytes",
			),
		done: (layer: PublishedLayer) => {
			before += layer.allocated;
			context.progress(before, total, "bytes");
		},
	};
};

/** Proves by their whole digests that layers of a backup are what was published. Rejects with VERIFY_FAILED naming the file; the backup is NotValid then. */
export const verifyLayersOf = async (
	context: StepContext,
	layers: readonly PublishedLayer[],
	id = servicePlanOf(context).backup,
): Promise<void> => {
	const progress = progressOver(context, layers);
	for (const layer of layers) {
		const hash = await context.deps.images.hash(layer.path, {
			signal: context.signal,
			onProgress: progress.at(layer),
		});
		progress.done(layer);
		if (hash.sha256 === layer.sha256 && hash.size === layer.size) continue;
		const message = `${layer.path} is not what was published: its SHA-256 is ${hash.sha256}, not ${layer.sha256}`;
		await condemn(context, id, message).catch((thrown: unknown) => {
			context.log("error", `it could not be marked: ${asKnibError(thrown).message}`);
		});
		throw new KnibError("VERIFY_FAILED", message, { details: { path: layer.path } });
	}
};

export const verifyOldLayers: Executor<"verify-old-layers"> = {
	run: async (step, context) => {
		await verifyLayersOf(context, step.layers);
		return {};
	},
};

type Made = NonNullable<Outcomes["compressed"]>[number];

/** One layer into a new file beside it; a result that is not smaller is dropped. */
const compressOne = async (
	context: StepContext,
	layer: CompressPlan,
	options: { readonly coroutines: number; readonly rate: number },
	onProgress: (fraction: number) => void,
): Promise<Made> => {
	const { images } = context.deps;
	const { target, library, compressed, backing, backingName } = layer;
	await images.convert(
		{
			source: { path: layer.path, format: "qcow2" },
			target: { path: compressed, format: "qcow2", compression: library },
			...(backing === null ? {} : { backing: { path: backing, format: "qcow2" } }),
			...options,
		},
		{ signal: context.signal, onProgress },
	);
	if (backingName !== null) {
		await images.rebaseUnsafe(compressed, { path: backingName, format: "qcow2" });
	}
	await images.sync(compressed);
	const { actualSize } = await images.info(compressed, "qcow2");
	const kept = actualSize < layer.allocated;
	if (!kept) await images.unlink(compressed);
	context.log(
		"info",
		`${target}: ${actualSize} of ${layer.allocated} bytes with ${library}${kept ? "" : "; not smaller, so the original is kept"}`,
	);
	return { target, library, allocated: actualSize, kept };
};

const NOT_SMALLER = "compression would not make it smaller: the original is kept";

export const compressLayers: Executor<"compress-layers"> = {
	run: async (step, context): Promise<Outcomes> => {
		const { repository, backup } = await subjectOf(context);
		await repository.discardCompressed(backup);
		const progress = progressOver(context, step.layers);
		const { coroutines, rate } = step;
		const compressed: Made[] = [];
		for (const layer of step.layers) {
			const options = { coroutines, rate };
			compressed.push(await compressOne(context, layer, options, progress.at(layer)));
			progress.done(layer);
		}
		const any = compressed.some((layer) => layer.kept);
		await (any
			? markCompression(context, "Compressing", "compressed; waits to be put in place")
			: markCompression(context, "Uncompressed", NOT_SMALLER));
		return { compressed };
	},
	undo: async (_step, context) => {
		const { repository, backup } = await subjectOf(context);
		await repository.discardCompressed(backup);
	},
};
