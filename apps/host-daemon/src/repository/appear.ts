// The moment of publication: one rename, and what can be said of it when it fails (SAFETY F17).
import { asKnibError, KnibError, type Manifest, type PublishedBackup } from "@knib/core";
import { errnoOf, repositoryError } from "./errno.ts";
import { backupName } from "./layout.ts";
import type { Place } from "./manifest-problems.ts";
import { readBackup } from "./read-backup.ts";
import type { ChainSource } from "./read-chain.ts";

/** Whether the backup certainly was not published, or nobody can tell. */
export type PublicationOutcome = "not-done" | "unknown";

const withOutcome = (thrown: unknown, outcome: PublicationOutcome): KnibError => {
	const error = asKnibError(thrown);
	const details = { ...error.details, outcome: error.details["outcome"] ?? outcome };
	return new KnibError(error.code, error.message, { cause: error, details });
};

/** Adds the outcome to what `run` throws, unless a nearer one has done so. */
export const markOutcome = async <T>(
	outcome: PublicationOutcome,
	run: () => Promise<T>,
): Promise<T> => {
	try {
		return await run();
	} catch (thrown) {
		throw withOutcome(thrown, outcome);
	}
};

/** Where the backup of a manifest belongs. */
export const placeOf = (manifest: Manifest): Place => ({
	vm: manifest.identity.vm,
	chain: manifest.identity.chain,
	name: backupName(manifest.identity),
});

/** The published backup of a manifest; undefined when there is none. Rejects with MANIFEST_INVALID when something else is in its place. */
export const readPublished = async (
	source: ChainSource,
	manifest: Manifest,
): Promise<PublishedBackup | undefined> => {
	const directory = source.layout.backup(manifest.identity);
	if ((await source.files.look(directory)) === undefined) return undefined;
	const read = await readBackup(source.files, directory, placeOf(manifest));
	if (read.backup?.manifest.identityDigest === manifest.identityDigest) return read.backup;
	const why = read.problems[0] ?? `${directory} is another backup of the same id`;
	throw new KnibError("MANIFEST_INVALID", why);
};

/** Errnos with which rename(2) says that it changed nothing. Over a network ENOENT and EEXIST also come when a lost answer made the client ask again. */
const REFUSED_RENAME = new Set(
	"ENOSPC EDQUOT EROFS EACCES EPERM ENOENT ENOTEMPTY EEXIST EXDEV ENOTDIR EISDIR ELOOP ENAMETOOLONG EINVAL EMLINK EBUSY".split(
		" ",
	),
);

/** Renames `incoming/<backup>` to its place. The rename is judged by what can be seen afterwards when it fails. */
export const appear = async (source: ChainSource, manifest: Manifest): Promise<void> => {
	const from = source.layout.incomingBackup(manifest.identity.id);
	const to = source.layout.backup(manifest.identity);
	try {
		await source.files.move(from, to);
	} catch (thrown) {
		const error = repositoryError(thrown, `publish ${to}`, "write");
		const errno = errnoOf(thrown);
		const refused =
			thrown instanceof KnibError || (errno !== undefined && REFUSED_RENAME.has(errno));
		const there = await readPublished(source, manifest).catch(() => undefined);
		if (there !== undefined) return;
		const waits = await source.files.look(from).catch(() => undefined);
		throw withOutcome(error, refused && waits !== undefined ? "not-done" : "unknown");
	}
};
