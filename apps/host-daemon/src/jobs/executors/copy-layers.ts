// Copies what belongs to a backup from the VM's storage into `incoming/`, several disks at a time, and proves that the copy is what
// the guest would have read (SPEC 2.10, SAFETY F1).
import {
	KnibError,
	type LayerFacts,
	type LayerPlan,
	layerLibrary,
	type Outcomes,
} from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { inParallel } from "../in-parallel.ts";
import { asNoSpace } from "../no-space.ts";
import { compareLayer } from "./compare-layer.ts";

const COROUTINES = 8;

/** Absolute paths of a layer's files while it is being made. */
const filesOf = async (
	context: StepContext,
	layer: LayerPlan,
): Promise<{
	readonly directory: string;
	readonly target: string;
	readonly parent: string | null;
}> => {
	const { plan } = context;
	const repository = await context.repository();
	if (plan.type !== "Backup") throw new KnibError("INTERNAL", "a layer is copied by a backup only");
	const { path } = await repository.incoming(plan.backup);
	const chainDirectory = `${repository.path}/vms/${plan.vm.uuid}/${plan.chain}`;
	const parent =
		layer.parent === null ? null : `${chainDirectory}/${layer.parent}/${layer.target}.qcow2`;
	return { directory: path, target: `${path}/${layer.target}.qcow2`, parent };
};

type CopyStep = { readonly rate: number; readonly compression: "zstd" | "zlib" | null };

/** The increments of a layer, bottom first: the first one onto the parent's layer, each further one onto the one before and committed into it. */
const copyImages = async (
	context: StepContext,
	layer: LayerPlan,
	step: CopyStep,
	onProgress: (fraction: number) => void,
): Promise<void> => {
	const { images } = context.deps;
	const files = await filesOf(context, layer);
	const count = layer.images.length;
	const library = layerLibrary(layer, step.compression);
	for (const [index, source] of layer.images.entries()) {
		const first = index === 0;
		const path = first ? files.target : `${files.directory}/${layer.target}.part.qcow2`;
		const below = first ? files.parent : files.target;
		await images.convert(
			{
				source,
				target: {
					path,
					format: "qcow2",
					extendedL2: layer.mode === "increment",
					...(library === null ? {} : { compression: library }),
				},
				...(below === null ? {} : { backing: { path: below, format: "qcow2" } }),
				rate: step.rate,
				coroutines: COROUTINES,
			},
			{ signal: context.signal, onProgress: (fraction) => onProgress((index + fraction) / count) },
		);
		if (!first) {
			await images.commitFile(path);
			await images.unlink(path);
		}
	}
};

/** Copies every disk's layer; repeated from the start after a crash. */
export const copyLayers: Executor<"copy-layers"> = {
	run: async (step, context) => {
		const { plan } = context;
		const repository = await context.repository();
		if (plan.type !== "Backup")
			throw new KnibError("INTERNAL", "layers are copied by a backup only");
		await repository.discard(plan.backup);
		await repository.incoming(plan.backup);
		const total = step.layers.reduce((sum, layer) => sum + layer.bytes, 0);
		const done = new Map<string, number>();
		const report = (layer: LayerPlan) => (fraction: number) => {
			done.set(layer.target, layer.bytes * Math.min(1, fraction));
			const sum = [...done.values()].reduce((a, b) => a + b, 0);
			context.progress(Math.round(sum), total, "bytes");
		};
		await inParallel(step.layers, step.parallel, (layer) =>
			copyImages(context, layer, step, report(layer)).catch((thrown: unknown) => {
				throw asNoSpace(thrown, "REPOSITORY_NO_SPACE", `${repository.path} is full`);
			}),
		);
		return {};
	},
	undo: async (_step, { plan, repository }) => {
		if (plan.type === "Backup") await (await repository()).discard(plan.backup);
	},
};

const checkLayer = async (context: StepContext, layer: LayerPlan): Promise<LayerFacts> => {
	const { images } = context.deps;
	const files = await filesOf(context, layer);
	const info = await images.info(files.target, "qcow2");
	if (info.virtualSize !== layer.virtualSize || (info.backing?.path ?? null) !== files.parent) {
		throw new KnibError(
			"VERIFY_FAILED",
			`the copy of ${layer.target} has the wrong size or the wrong backing file`,
		);
	}
	const check = await images.check(files.target);
	if (!check.ok)
		throw new KnibError(
			"VERIFY_FAILED",
			`the copy of ${layer.target} is damaged: ${check.message}`,
		);
	const top = layer.images.at(-1);
	if (top === undefined) throw new KnibError("INTERNAL", `no image of ${layer.target} was copied`);
	const digest = async () => {
		await images.sync(files.target);
		return images.hash(files.target, { signal: context.signal });
	};
	const compare = () => compareLayer(context, layer, top, files.target);
	if (layer.parent === null) {
		// Its header stays as it is: both read it at once.
		const [hash] = await Promise.all([digest(), compare()]);
		return { target: layer.target, virtualSize: info.virtualSize, ...hash };
	}
	await compare();
	await images.rebaseUnsafe(files.target, {
		path: `../${layer.parent}/${layer.target}.qcow2`,
		format: "qcow2",
	});
	const hash = await digest();
	return { target: layer.target, virtualSize: info.virtualSize, ...hash };
};

/** Proves every copied layer and measures it; a layer that was proven before the daemon died is made again by the repeated copy. */
export const checkLayers: Executor<"check-layers"> = {
	run: async (step, context): Promise<Outcomes> => {
		const layers: LayerFacts[] = [];
		let checked = 0;
		await inParallel(step.layers, 2, async (layer) => {
			layers.push(await checkLayer(context, layer));
			checked += 1;
			context.progress(checked, step.layers.length, "steps");
		});
		return { layers };
	},
};
