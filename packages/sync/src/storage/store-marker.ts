// The marker in the store's directory: which format the store has, and which of the directories beside it is the log. It is
// read before LevelDB is opened, so that a store of another version is refused and never misread.
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "@knib/core";
import { z } from "zod";

/** The format of the store that this knib reads and writes. Any change of what lies in the log raises it. */
export const STORE_VERSION = 2;
/** Formats that are read as well: format 1 held no documents of other hosts, and shared ones without their fields' history. */
const READABLE: readonly number[] = [1, STORE_VERSION];

const MARKER = "store.json";
const LOG = /^log-[1-9][0-9]*$/;

const versionSchema = z.object({
	format: z.literal("knib-store"),
	version: z.number().int().positive(),
});
const markerSchema = versionSchema.extend({ log: z.string().regex(LOG) });
export type StoreMarker = z.infer<typeof markerSchema>;

/** Makes what was written to a file or directory durable. */
export const syncPath = async (path: string): Promise<void> => {
	const handle = await open(path, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

const parseMarker = (directory: string, text: string): StoreMarker => {
	const refuse = (why: string, cause?: unknown): StoreError =>
		new StoreError("STORE_FORMAT", `store ${directory} cannot be read: ${why}`, { cause });
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (thrown) {
		throw refuse(`${MARKER} is not JSON`, thrown);
	}
	const version = versionSchema.safeParse(json);
	if (!version.success) throw refuse(`${MARKER} is not one of a knib store`, version.error);
	if (!READABLE.includes(version.data.version)) {
		throw refuse(`its format is ${version.data.version}, and this knib reads ${STORE_VERSION}`);
	}
	const marker = markerSchema.safeParse(json);
	if (!marker.success) throw refuse(`${MARKER} is incomplete`, marker.error);
	return marker.data;
};

/** Replaces the marker by one rename; durable when it resolves. */
export const writeMarker = async (directory: string, log: string): Promise<StoreMarker> => {
	const marker: StoreMarker = { format: "knib-store", version: STORE_VERSION, log };
	const temporary = join(directory, `${MARKER}.new`);
	const handle = await open(temporary, "w", 0o600);
	try {
		await handle.writeFile(`${JSON.stringify(marker)}\n`);
		await handle.sync();
	} finally {
		await handle.close();
	}
	await rename(temporary, join(directory, MARKER));
	await syncPath(directory);
	return marker;
};

const isAbsent = (thrown: unknown): boolean =>
	thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";

/** The marker, undefined when there is none. Rejects with STORE_FORMAT when this knib cannot read such a store. */
export const readMarker = async (directory: string): Promise<StoreMarker | undefined> => {
	try {
		return parseMarker(directory, await readFile(join(directory, MARKER), "utf8"));
	} catch (thrown) {
		if (isAbsent(thrown)) return undefined;
		throw thrown;
	}
};

/** The log directories beside the marker. */
export const logDirectories = async (directory: string): Promise<readonly string[]> =>
	(await readdir(directory)).filter((name) => LOG.test(name));

/** The marker of a store, which is made when the directory holds none. Rejects with STORE_FORMAT when there is a log without a marker. */
export const ensureMarker = async (directory: string): Promise<StoreMarker> => {
	await mkdir(directory, { recursive: true, mode: 0o700 });
	const found = await readMarker(directory);
	if (found !== undefined) return found;
	if ((await logDirectories(directory)).length === 0) return writeMarker(directory, "log-1");
	throw new StoreError(
		"STORE_FORMAT",
		`store ${directory} cannot be read: it has a log but no ${MARKER}`,
	);
};
