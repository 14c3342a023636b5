// Re-reads every layer that a backup stands on, whole, in a fixed order, and lets qemu-img check it.
import { asKnibError, type DigestPlan, type Outcomes } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { reported } from "./validation-context.ts";

type Damage = NonNullable<Outcomes["damaged"]>[number];

/** What is wrong with one layer, in words; undefined when it is what was published. Rejects when the file system does not answer. */
export const layerDamage = async (
	context: Pick<StepContext, "deps" | "signal">,
	layer: Pick<DigestPlan, "path" | "size" | "sha256">,
	onProgress: (fraction: number) => void,
	rate = 0,
): Promise<string | undefined> => {
	const { images } = context.deps;
	if (!(await images.exists(layer.path))) return "it is missing";
	const hash = await images.hash(layer.path, { signal: context.signal, onProgress, rate });
	if (hash.size !== layer.size) return `it has ${hash.size} bytes instead of ${layer.size}`;
	if (hash.sha256 !== layer.sha256) return "its SHA-256 is another one than was published";
	const check = await images.check(layer.path);
	return check.ok ? undefined : `qemu-img check: ${check.message}`;
};

const progressOf = (context: StepContext, layers: readonly DigestPlan[]) => {
	const total = layers.reduce((sum, layer) => sum + layer.size, 0);
	let before = 0;
	return {
		of: (layer: DigestPlan) => (fraction: number) =>
			context.progress(Math.round(before + layer.size * Math.min(1, fraction)), total, "bytes"),
		done: (layer: DigestPlan) => {
			before += layer.size;
		},
	};
};

const findDamage = async (
	context: StepContext,
	layers: readonly DigestPlan[],
): Promise<readonly Damage[]> => {
	const progress = progressOf(context, layers);
	const damaged: Damage[] = [];
	for (const layer of layers) {
		context.signal.throwIfAborted();
		const message = await layerDamage(context, layer, progress.of(layer));
		progress.done(layer);
		if (message !== undefined) damaged.push({ backup: layer.backup, path: layer.path, message });
	}
	return damaged;
};

/** A repository that does not answer is our trouble; a file in one that does answer is not. */
const requireRepository = async (context: StepContext): Promise<void> => {
	await (await context.repository()).state();
};

export const verifyDigests: Executor<"verify-digests"> = {
	run: async (step, context): Promise<Outcomes> => {
		const { clock } = context.deps;
		const started = clock.monotonic();
		await requireRepository(context);
		const damaged = await findDamage(context, step.layers).catch(async (thrown: unknown) => {
			await requireRepository(context);
			throw asKnibError(thrown);
		});
		await requireRepository(context);
		const words = [
			...damaged.map(({ path, message }) => `${path}: ${message}`),
			...(damaged.length === 0 ? step.problems : []),
		];
		const outcome = reported(context, {
			step: "digest",
			ok: words.length === 0,
			message:
				words.length === 0 ? `${step.layers.length} layers are as published` : words.join("; "),
			durationMs: clock.monotonic() - started,
		});
		return { ...outcome, damaged: [...damaged] };
	},
};
