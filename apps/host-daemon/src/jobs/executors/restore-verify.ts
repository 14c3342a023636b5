// Proves the layers of a restore before anything is made of them: whole digests, and a backing chain that leads nowhere else.
import { resolve } from "node:path";
import { KnibError, type LayerRead, type RestoreReads } from "@knib/core";
import { readSmallFile } from "../../facts/machine-files.ts";
import { parseChecksums } from "../../repository/checksums.ts";
import type { Executor, StepContext } from "../context.ts";
import { inParallel } from "../in-parallel.ts";
import { readPlanned, restorePlanOf } from "./restore-hold.ts";

/** Layers hashed at a time. */
const PARALLEL = 2;

const differs = (path: string, why: string): KnibError =>
	new KnibError("VERIFY_FAILED", `${path} is not what was backed up: ${why}`, {
		details: { file: path },
	});

const verifyOne = async (
	context: StepContext,
	{ path, layer }: LayerRead,
	onProgress: (fraction: number) => void,
): Promise<void> => {
	const { images } = context.deps;
	if (!(await images.exists(path))) throw differs(path, "it is missing");
	const hash = await images.hash(path, { signal: context.signal, onProgress });
	if (hash.size !== layer.size) {
		throw differs(path, `it has ${hash.size} bytes instead of ${layer.size}`);
	}
	if (hash.sha256 !== layer.sha256) throw differs(path, "its SHA-256 is another one");
};

/** The images that qemu-img would open for a disk must be the layers that were verified, and nothing beside them (I9). */
const verifyChain = async (
	context: StepContext,
	disk: RestoreReads["disks"][number],
): Promise<void> => {
	const [top] = disk.layers;
	if (top === undefined) return;
	const chain = await context.deps.images.chain(top.path, "qcow2");
	const paths = chain.map((image) => resolve(image.path));
	const expected = disk.layers.map((one) => resolve(one.path));
	if (paths.length !== expected.length || paths.some((path, at) => path !== expected[at])) {
		throw differs(top.path, `it stands on ${paths.slice(1).join(", ") || "nothing"}`);
	}
	const odd = chain.find((image) => image.format !== "qcow2" || image.dataFile !== undefined);
	if (odd !== undefined) throw differs(odd.path, "it is no plain qcow2 image");
	if (chain[0]?.virtualSize !== top.layer.virtualSize) {
		throw differs(top.path, "its virtual size is another one");
	}
};

const CHECKSUMS = "SHA256SUMS";
const DEFINITION = "domain-inactive.xml";

/** The machine's files that the restore uses, against the digests beside them: rot in the boot variables is found too. */
const verifyMachine = async (context: StepContext): Promise<void> => {
	const { images } = context.deps;
	const { ancestry, nvram, tpm } = restorePlanOf(context);
	const directory = ancestry.at(-1) ?? "";
	const sums = parseChecksums(await readSmallFile(`${directory}/${CHECKSUMS}`));
	if (sums === undefined) throw differs(`${directory}/${CHECKSUMS}`, "it cannot be read");
	for (const [file, digest] of sums) {
		const used =
			file === DEFINITION ||
			(file === "nvram" && nvram !== null) ||
			(file.startsWith("tpm/") && tpm !== null);
		if (!used) continue;
		const hash = await images.hash(`${directory}/${file}`, { signal: context.signal });
		if (hash.sha256 !== digest) throw differs(`${directory}/${file}`, "its SHA-256 is another one");
	}
};

/** The disks of the backup that are restored. */
const copiedTargets = (context: StepContext): ReadonlySet<string> =>
	new Set(
		restorePlanOf(context).steps.flatMap((step) =>
			step.kind === "copy-disks" ? step.disks.map((disk) => disk.target) : [],
		),
	);

/** Reads every layer that the restore needs, whole. Rejects with VERIFY_FAILED naming the file. */
export const verifyLayers: Executor<"verify-layers"> = {
	run: async (_step, context) => {
		const wanted = copiedTargets(context);
		const disks = (await readPlanned(context)).disks.filter(({ target }) => wanted.has(target));
		const layers = disks.flatMap((disk) => disk.layers);
		const total = layers.reduce((sum, { layer }) => sum + layer.size, 0);
		const done = new Map<string, number>();
		const report = (one: LayerRead) => (fraction: number) => {
			done.set(one.path, one.layer.size * Math.min(1, fraction));
			const sum = [...done.values()].reduce((a, b) => a + b, 0);
			context.progress(Math.round(sum), total, "bytes");
		};
		await inParallel(layers, PARALLEL, async (one) => {
			await verifyOne(context, one, report(one));
			report(one)(1);
		});
		for (const disk of disks) await verifyChain(context, disk);
		await verifyMachine(context);
		return {};
	},
};
