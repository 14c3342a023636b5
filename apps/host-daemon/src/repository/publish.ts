// Publication: everything is written and durable in `incoming/`, then one rename makes it a backup (SPEC 2.10). What fails before
// the rename certainly left no backup; from the rename on a failure may have left one, and says so (SAFETY F17).
import { KnibError, type Manifest, manifestSchema, type PublishedBackup } from "@knib/core";
import { appear, markOutcome, placeOf, readPublished } from "./appear.ts";
import { type Checksum, formatChecksums, hashFile, sha256 } from "./checksums.ts";
import { MODES } from "./file-writes.ts";
import { canonicalJson } from "./identity-digest.ts";
import { type IncomingFile, incomingFiles } from "./incoming-files.ts";
import { jsonText } from "./json-file.ts";
import { backupName, parseBackupName } from "./layout.ts";
import { chainProblems, manifestProblem } from "./manifest-problems.ts";
import { proveLayersIn } from "./prove-layers.ts";
import { type ChainSource, readChain } from "./read-chain.ts";

/** A defect in the caller, found before anything is written. */
const assertSound = (source: ChainSource, manifest: Manifest): void => {
	const problem =
		manifestProblem(manifest, placeOf(manifest)) ??
		(manifest.repository.id === source.id ? undefined : "is meant for another repository");
	if (problem === undefined) return;
	throw new KnibError("INTERNAL", `the manifest of backup ${manifest.identity.id} ${problem}`);
};

/** Refuses a backup that does not continue its chain: its number is taken, or its parent is not the newest one there. */
const assertContinues = async (source: ChainSource, manifest: Manifest): Promise<void> => {
	const { identity } = manifest;
	const directory = source.layout.chain(identity.vm, identity.chain);
	const entries = (await source.files.list(directory)) ?? [];
	const rival = entries.find(
		(entry) => (parseBackupName(entry.name)?.sequence ?? 0) >= identity.sequence,
	);
	if (rival !== undefined) {
		throw new KnibError(
			"REFUSED",
			`cannot publish backup ${identity.id} as number ${identity.sequence}: ${rival.name} is in the chain already`,
		);
	}
	const { members } = await readChain(source, identity.vm, identity.chain);
	const chain = [...members.map((member) => member.manifest), manifest];
	const name = `backup ${backupName(identity)} `;
	const problem = chainProblems(chain).find((text) => text.startsWith(name));
	if (problem !== undefined) throw new KnibError("REFUSED", `cannot publish: ${problem}`);
};

const checksumsOf = async (
	directory: string,
	files: readonly IncomingFile[],
	manifest: Manifest,
	text: string,
): Promise<string> => {
	const sums: Checksum[] = manifest.generation.layers.map(({ file, sha256: digest }) => ({
		file,
		sha256: digest,
	}));
	for (const { name, kind } of files) {
		if (kind !== "machine") continue;
		sums.push({ file: name, sha256: await hashFile(`${directory}/${name}`) });
	}
	sums.push({ file: "manifest.json", sha256: sha256(text) });
	return formatChecksums(sums);
};

const MODE_OF = {
	layer: MODES.file,
	machine: MODES.secret,
	"machine-directory": MODES.secretDirectory,
} as const satisfies Record<IncomingFile["kind"], number>;

/** Writes what is missing in `incoming/<backup>` and makes all of it durable: layers, SHA256SUMS, manifest last. */
const complete = async (source: ChainSource, directory: string, manifest: Manifest) => {
	const { files } = source;
	const incoming = await incomingFiles(files, directory, manifest);
	const [problem] = await proveLayersIn(files, directory, manifest.generation.layers);
	if (problem !== undefined) throw new KnibError("VERIFY_FAILED", `cannot publish: ${problem}`);
	const text = jsonText(manifest);
	const sums = await checksumsOf(directory, incoming, manifest, text);
	for (const { name, kind } of incoming) await files.settle(`${directory}/${name}`, MODE_OF[kind]);
	await files.writeText(`${directory}/SHA256SUMS`, sums);
	await files.writeText(`${directory}/manifest.json`, text);
	await files.settle(directory, MODES.directory);
};

const syncPlace = async (source: ChainSource, manifest: Manifest): Promise<void> => {
	const { files, layout } = source;
	await files.syncDirectory(layout.backup(manifest.identity));
	await files.syncDirectory(layout.chain(manifest.identity.vm, manifest.identity.chain));
	await files.syncDirectory(layout.incoming);
};

const readBack = async (source: ChainSource, manifest: Manifest): Promise<PublishedBackup> => {
	const directory = source.layout.backup(manifest.identity);
	const read = await readPublished(source, manifest);
	if (read === undefined) throw new KnibError("VERIFY_FAILED", `${directory} is missing`);
	await syncPlace(source, manifest);
	const [problem] = await proveLayersIn(source.files, directory, read.manifest.generation.layers);
	if (problem !== undefined) throw new KnibError("VERIFY_FAILED", problem);
	return read;
};

/** Publishes what lies in `incoming/<backup>`. Repeatable: the same backup being there already is success. Rejects with REFUSED when another
 * backup has its number or its parent is not the newest, VERIFY_FAILED when a layer is not as the manifest says, REPOSITORY_*;
 * `details.outcome` is `not-done` or `unknown`. */
export const publish = async (
	source: ChainSource,
	unparsed: Manifest,
	assertLease: () => Promise<void>,
): Promise<PublishedBackup> => {
	const { layout, files } = source;
	const manifest = manifestSchema.parse(unparsed);
	const { vm, chain } = manifest.identity;
	const existing = await markOutcome("unknown", () => readPublished(source, manifest));
	if (existing === undefined) {
		await markOutcome("not-done", async () => {
			assertSound(source, manifest);
			await assertContinues(source, manifest);
			await complete(source, layout.incomingBackup(manifest.identity.id), manifest);
			await files.makeDirectory(layout.vm(vm));
			await files.makeDirectory(layout.chain(vm, chain));
			await assertLease();
		});
		await appear(source, manifest);
	}
	return await markOutcome("unknown", () => readBack(source, manifest));
};

/** Makes a published backup's directories durable once more and reads it back by new opens: manifest, checksums, every layer's size and
 * header. Rejects with VERIFY_FAILED or MANIFEST_INVALID when it is not what was written; a later generation is in order. */
export const confirm = async (
	source: ChainSource,
	manifest: Manifest,
): Promise<PublishedBackup> => {
	const read = await readBack(source, manifest);
	if (read.manifest.generation.number > manifest.generation.number) return read;
	if (canonicalJson(read.manifest) === canonicalJson(manifest)) return read;
	throw new KnibError("VERIFY_FAILED", `${read.path}/manifest.json is not what was published`);
};
