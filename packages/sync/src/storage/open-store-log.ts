// Opens the log of a store's directory. PouchDB never forgets a deleted document, so a log in which these stubs outnumber the
// live documents is copied into a new directory first. The marker, replaced by one rename, says which directory counts: a crash
// at any point leaves the old log or the new one in force, and the other is swept away at the next opening.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "@knib/core";
import type { LogBackend } from "./log-backend.ts";
import { closePouch, openPouch } from "./pouch-database.ts";
import { openPouchLog, type PouchLog } from "./pouch-log.ts";
import { storeError } from "./store-errors.ts";
import {
	ensureMarker,
	logDirectories,
	readMarker,
	STORE_VERSION,
	syncPath,
	writeMarker,
} from "./store-marker.ts";

/** The points between which a vacuum may be cut off. */
export const VACUUM_STEPS = ["begun", "copied", "synced", "switched", "closed"] as const;
export type VacuumStep = (typeof VACUUM_STEPS)[number];

export type StoreLogOptions = {
	/** Fewer stubs than this are left alone; 1000 unless given. */
	readonly vacuumFrom?: number;
	/** Told when a vacuum failed, for want of space for instance: the store is used as it is. */
	readonly onVacuumFailed?: (error: StoreError) => void;
	/** Called after each step of a vacuum, for tests that crash there. */
	readonly onVacuumStep?: (step: VacuumStep) => void;
};

const syncDirectory = async (directory: string): Promise<void> => {
	for (const name of await readdir(directory)) await syncPath(join(directory, name));
	await syncPath(directory);
};

const nextName = (log: string): string => `log-${Number(log.slice("log-".length)) + 1}`;

const sweep = async (directory: string, current: string): Promise<void> => {
	for (const name of await logDirectories(directory)) {
		if (name !== current) await rm(join(directory, name), { recursive: true, force: true });
	}
};

const copyLog = async (log: PouchLog, path: string): Promise<void> => {
	const target = await openPouch(path);
	try {
		await log.copyTo(target);
	} finally {
		await closePouch(target);
	}
};

/** Copies the log and lets the marker name the copy. The old log stays open, and with it its lock, until the marker is switched. */
const vacuum = async (
	directory: string,
	current: { readonly name: string; readonly log: PouchLog },
	step: (step: VacuumStep) => void,
): Promise<void> => {
	const name = nextName(current.name);
	const path = join(directory, name);
	step("begun");
	await copyLog(current.log, path);
	step("copied");
	await syncDirectory(path);
	await syncPath(directory);
	step("synced");
	await writeMarker(directory, name);
	step("switched");
	await current.log.close();
	step("closed");
};

/** Opens what the marker names. Whoever made a vacuum in between has switched the marker: then this is not the log in force. */
const openCurrent = async (directory: string): Promise<{ name: string; log: PouchLog }> => {
	const { log: name } = await ensureMarker(directory);
	const log = await openPouchLog(join(directory, name));
	const marker = await readMarker(directory);
	if (marker?.log === name) {
		// From here on an older knib would misread the log.
		if (marker.version !== STORE_VERSION) await writeMarker(directory, name);
		return { name, log };
	}
	await log.close();
	throw new StoreError(
		"STORE_LOCKED",
		`store ${directory} could not be opened: it is in use by another process`,
	);
};

const wantsVacuum = (log: PouchLog, from: number): boolean => {
	const { live, stubs } = log.fill();
	return stubs >= from && stubs > live;
};

const openAndVacuum = async (directory: string, options: StoreLogOptions): Promise<LogBackend> => {
	const current = await openCurrent(directory);
	await sweep(directory, current.name);
	if (!wantsVacuum(current.log, options.vacuumFrom ?? 1000)) return current.log;
	try {
		await vacuum(directory, current, options.onVacuumStep ?? (() => undefined));
	} catch (thrown) {
		options.onVacuumFailed?.(storeError(`store ${directory} could not be vacuumed`, thrown));
		await current.log.close();
	}
	const after = await openCurrent(directory);
	await sweep(directory, after.name);
	return after.log;
};

/** Opens the log of the store in a directory, which is made when it is missing. The result rejects and behaves as OpenLog says. */
export const openStoreLog = async (
	directory: string,
	options: StoreLogOptions = {},
): Promise<LogBackend> => {
	try {
		return await openAndVacuum(directory, options);
	} catch (thrown) {
		throw storeError(`store ${directory} could not be opened`, thrown);
	}
};
