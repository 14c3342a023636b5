// Folds a backup into its child: new layers that hold what both held, proven against the child's old view and both old digests (SAFETY F9), then
// put in place together with the child's new parent in one journalled switch (SAFETY F8).
import {
	admit,
	type Generation,
	KnibError,
	type Layer,
	type LayerFacts,
	type Outcomes,
	type PublishedBackup,
	type PublishedLayer,
	type Repository,
} from "@knib/core";
import { gatherAdmission } from "../../facts/gather-service.ts";
import type { Executor, StepContext } from "../context.ts";
import { asNoSpace } from "../no-space.ts";
import { servicePlanOf, subjectOf, verifyLayersOf } from "./compress.ts";
import { refreshChain } from "./validation-record.ts";

type Ids = { readonly backup: string; readonly child: string };

type Pair = {
	readonly repository: Repository;
	readonly removed: PublishedBackup;
	readonly child: PublishedBackup;
};

/** Both backups as they are now, once a switch of the child that was begun before has been ended. */
const pairOf = async (context: StepContext, ids: Ids): Promise<Pair> => {
	await (await context.lease()).check();
	const before = await subjectOf(context, ids.child);
	await before.repository.settleSwitch(before.backup);
	const { repository, backup: child } = await subjectOf(context, ids.child);
	const { backup: removed } = await subjectOf(context, ids.backup);
	return { repository, removed, child };
};

const isFolded = ({ removed, child }: Pair): boolean =>
	child.manifest.parent?.id !== removed.manifest.identity.id;

const layerOf = (backup: PublishedBackup, target: string): Layer | undefined =>
	backup.manifest.generation.layers.find((layer) => layer.target === target);

/** The disks whose layer in the child stands on one of the removed backup; others are whole by themselves. */
const foldedDisks = ({ removed, child }: Pair): readonly { own: Layer; below: Layer }[] =>
	child.manifest.generation.layers.flatMap((own) => {
		const below = own.backing === null ? undefined : layerOf(removed, own.target);
		return below === undefined ? [] : [{ own, below }];
	});

const published = (backup: PublishedBackup, layer: Layer): PublishedLayer => ({
	target: layer.target,
	path: `${backup.path}/${layer.file}`,
	size: layer.size,
	allocated: layer.allocated,
	sha256: layer.sha256,
});

const resolveBacking = (directory: string, backing: string): string =>
	`${directory.slice(0, directory.lastIndexOf("/"))}/${backing.replace("../", "")}`;

/** The removed backup's layer copied onto what is below it, then the child's onto that copy and committed into it; flattened where nothing is below. */
const foldOne = async (
	context: StepContext,
	{ repository, removed, child }: Pair,
	{ own, below }: { readonly own: Layer; readonly below: Layer },
	onProgress: (fraction: number) => void,
): Promise<LayerFacts> => {
	const { images } = context.deps;
	const { signal } = context;
	const old = { path: `${child.path}/${own.file}`, format: "qcow2" };
	const made = { path: repository.compressedPath(child, own.target), format: "qcow2" as const };
	if (below.backing === null) {
		await images.convert({ source: old, target: made }, { signal, onProgress });
	} else {
		const base = { path: resolveBacking(child.path, below.backing), format: "qcow2" };
		const lower = { path: `${removed.path}/${below.file}`, format: "qcow2" };
		const part = { ...made, path: repository.compressedPath(child, `${own.target}-part`) };
		const half = (fraction: number) => onProgress(fraction / 2);
		await images.convert(
			{ source: lower, target: made, backing: base },
			{ signal, onProgress: half },
		);
		await images.convert(
			{ source: old, target: part, backing: made },
			{ signal, onProgress: (fraction) => onProgress((1 + fraction) / 2) },
		);
		await images.commitFile(part.path);
		await images.unlink(part.path);
	}
	const result = await images.compare(old, made, { signal });
	const check = await images.check(made.path);
	if (!result.identical || !check.ok) {
		const why = result.identical ? check.message : result.message;
		throw new KnibError("VERIFY_FAILED", `${made.path} does not read as ${old.path}: ${why}`);
	}
	if (below.backing !== null) {
		await images.rebaseUnsafe(made.path, { path: below.backing, format: "qcow2" });
	}
	await images.sync(made.path);
	const hash = await images.hash(made.path, { signal });
	return { target: own.target, virtualSize: own.virtualSize, ...hash };
};

export const foldLayers: Executor<"fold-layers"> = {
	run: async (step, context): Promise<Outcomes> => {
		const pair = await pairOf(context, step);
		if (isFolded(pair)) return {};
		const { repository, removed, child } = pair;
		await repository.discardCompressed(child);
		const disks = foldedDisks(pair);
		const layers: LayerFacts[] = [];
		for (const [index, disk] of disks.entries()) {
			const onProgress = (fraction: number): void =>
				context.progress(Math.round((index + fraction) * 100), disks.length * 100, "percent");
			const facts = await foldOne(context, pair, disk, onProgress).catch((thrown: unknown) => {
				throw asNoSpace(thrown, "REPOSITORY_NO_SPACE", `${repository.path} is full`);
			});
			layers.push(facts);
		}
		const lower = disks.map(({ below }) => published(removed, below));
		const upper = disks.map(({ own }) => published(child, own));
		await verifyLayersOf(context, lower, step.backup);
		await verifyLayersOf(context, upper, step.child);
		return { layers };
	},
	undo: async (step, context) => {
		const { repository, backup } = await subjectOf(context, step.child);
		await repository.discardCompressed(backup);
	},
};

const nextGeneration = (context: StepContext, pair: Pair): Generation => {
	const { number, layers } = pair.child.manifest.generation;
	const made = context.outcomes.layers ?? [];
	return {
		number: number + 1,
		publishedAt: context.deps.clock.now(),
		layers: layers.map((layer) => {
			const facts = made.find((one) => one.target === layer.target);
			if (facts === undefined) return layer;
			const { size, allocated, sha256, headerDigest } = facts;
			const backing = layerOf(pair.removed, layer.target)?.backing ?? null;
			const bytes = { size, allocated, sha256, headerDigest, uncompressedSize: allocated };
			return { ...layer, ...bytes, backing, compression: null };
		}),
	};
};

/** Asked once more right before the switch: a reader may have come since the plan was made. */
const assertAdmitted = async (context: StepContext, repository: Repository): Promise<void> => {
	const plan = servicePlanOf(context);
	const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === plan.chain);
	if (chain === undefined) throw new KnibError("NOT_FOUND", `chain ${plan.chain} is gone`);
	const facts = await gatherAdmission(context.deps, repository, chain, context.job);
	const [first] = admit("consolidate", plan.backup, facts);
	if (first === undefined) return;
	throw new KnibError(first.code, `backup ${plan.backup} is not consolidated: ${first.reason}`);
};

export const switchFolded: Executor<"switch-folded"> = {
	run: async (step, context): Promise<Outcomes> => {
		const pair = await pairOf(context, step);
		const { repository, removed, child } = pair;
		if (!isFolded(pair)) {
			await assertAdmitted(context, repository);
			const { clock, host } = context.deps;
			const { parent } = removed.manifest;
			if (parent === null) throw new KnibError("INTERNAL", "the first of a chain is not folded");
			const by = { host: host.id, at: clock.now(), parent };
			await repository.switchLayers(child, nextGeneration(context, pair), by);
		}
		const compression = { status: "Uncompressed", message: null } as const;
		await repository.writeMarks((await subjectOf(context, step.child)).backup, { compression });
		await refreshChain(context.deps, servicePlanOf(context));
		return {};
	},
};
