// Re-reads every file of one published backup. It holds nothing: what differs is looked at again by what the repository says then, so that
// a compression that replaces the layers meanwhile, or a deletion, is not taken for damage.
import {
	asKnibError,
	type Chain,
	type Layer,
	type Outcomes,
	type PublishedBackup,
	type Repository,
	type VerifyChain,
} from "@knib/core";
import type { StepContext } from "../context.ts";
import { layerDamage } from "./validation-digests.ts";

/** How often a backup that changes while it is read is begun anew. */
const ATTEMPTS = 3;

type Damage = NonNullable<Outcomes["damaged"]>[number];

/** What was found of one backup. */
export type BackupFindings = {
	readonly files: number;
	readonly bytes: number;
	readonly durationMs: number;
	readonly damaged: readonly Damage[];
	readonly problems: readonly string[];
};

/** How it is read: bytes per second (0 = no limit), and who is told of the bytes. */
export type ReadOptions = { readonly rate: number; readonly onBytes: (bytes: number) => void };

/** The chain as its repository has it now; undefined when it is gone. */
export const chainNow = async (
	repository: Repository,
	{ vm, chain }: Pick<VerifyChain, "vm" | "chain">,
): Promise<Chain | undefined> => (await repository.chains(vm.uuid)).find((one) => one.id === chain);

const memberOf = (chain: Chain | undefined, id: string): PublishedBackup | undefined =>
	chain?.members.find(({ manifest }) => manifest.identity.id === id);

const readLayer = async (
	context: StepContext,
	backup: PublishedBackup,
	layer: Layer,
	{ rate, onBytes }: ReadOptions,
): Promise<Damage[]> => {
	const path = `${backup.path}/${layer.file}`;
	const onProgress = (fraction: number) => onBytes(Math.round(layer.size * Math.min(1, fraction)));
	const message = await layerDamage(context, { ...layer, path }, onProgress, rate);
	return message === undefined ? [] : [{ backup: backup.manifest.identity.id, path, message }];
};

/** The files beside the layers: manifest, definitions, NVRAM, TPM state. */
const readOthers = async (
	context: StepContext,
	repository: Repository,
	backup: PublishedBackup,
): Promise<{ readonly files: number; readonly damaged: readonly Damage[] }> => {
	const { images } = context.deps;
	const layers = new Map(
		backup.manifest.generation.layers.map(({ file, sha256 }) => [file, sha256]),
	);
	const digests = await repository.digests(backup);
	const damaged: Damage[] = [];
	const condemn = (file: string, message: string): void => {
		damaged.push({ backup: backup.manifest.identity.id, path: `${backup.path}/${file}`, message });
	};
	for (const [file, sha256] of digests) {
		const layer = layers.get(file);
		if (layer !== undefined) {
			if (layer !== sha256) condemn("SHA256SUMS", `it names another SHA-256 of ${file}`);
			continue;
		}
		const path = `${backup.path}/${file}`;
		if (!(await images.exists(path))) condemn(file, "it is missing");
		else if ((await images.hash(path, { signal: context.signal })).sha256 !== sha256) {
			condemn(file, "its SHA-256 is another one than was published");
		}
	}
	return { files: digests.size, damaged };
};

const readOnce = async (
	context: StepContext,
	repository: Repository,
	backup: PublishedBackup,
	options: ReadOptions,
): Promise<BackupFindings> => {
	const started = context.deps.clock.monotonic();
	const damaged: Damage[] = [];
	let bytes = 0;
	for (const layer of backup.manifest.generation.layers) {
		context.signal.throwIfAborted();
		const before = bytes;
		const onBytes = (done: number): void => options.onBytes(before + done);
		damaged.push(...(await readLayer(context, backup, layer, { ...options, onBytes })));
		bytes += layer.size;
	}
	const problems: string[] = [];
	const others = await readOthers(context, repository, backup).catch((thrown: unknown) => {
		const error = asKnibError(thrown);
		if (error.code !== "MANIFEST_INVALID") throw error;
		problems.push(error.message);
		return { files: 0, damaged: [] };
	});
	return {
		files: Math.max(backup.manifest.generation.layers.length, others.files),
		bytes,
		durationMs: Math.round(context.deps.clock.monotonic() - started),
		damaged: [...damaged, ...others.damaged],
		problems,
	};
};

const isSound = ({ damaged, problems }: BackupFindings): boolean =>
	damaged.length === 0 && problems.length === 0;

/** Reads one backup whole; undefined when it is not in its chain any more. Rejects when the repository does not answer. */
export const verifyBackup = async (
	context: StepContext,
	repository: Repository,
	place: VerifyChain,
	id: string,
	options: ReadOptions,
): Promise<BackupFindings | undefined> => {
	for (let attempt = 1; ; attempt++) {
		const backup = memberOf(await chainNow(repository, place), id);
		if (backup === undefined) return undefined;
		const findings = await readOnce(context, repository, backup, options);
		if (isSound(findings)) return findings;
		// Files of a repository that went away look as if they were missing.
		await repository.state();
		const after = memberOf(await chainNow(repository, place), id);
		if (after === undefined) return undefined;
		const { number } = after.manifest.generation;
		const switched = number !== backup.manifest.generation.number;
		if (attempt === ATTEMPTS || (!switched && !(await repository.switching(after))))
			return findings;
		context.log("info", `backup ${id} was replaced while it was read; it is read again`);
	}
};
