// A disk of a backup opened for its files: the chain held in the repository (SAFETY F7), read once more under the hold, and an
// appliance started over the layer. What a crash leaves of it lies in a directory of its own that says what is held.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
	asKnibError,
	type BackupView,
	type Hold,
	type IdSource,
	isRefusal,
	KnibError,
	readableDisk,
	uuidSchema,
} from "@knib/core";
import { z } from "zod";
import type { Catalog } from "../catalog/catalog.ts";
import { findInRepository } from "../facts/gather-restore.ts";
import { errnoOf } from "../repository/errno.ts";
import { createGuestDisk, type GuestDisk } from "./guest-disk.ts";
import type { StartAppliance } from "./launch.ts";

export type FilesDeps = {
	readonly catalog: Catalog;
	readonly ids: IdSource;
	readonly host: { readonly id: string; readonly name: string };
	readonly scratch: string;
	readonly startAppliance: StartAppliance;
};

export type OpenDisk = {
	readonly disk: GuestDisk;
	readonly pointInTime: string;
	/** Ends the appliance, gives the hold back, removes what is left; repeatable. */
	readonly close: () => Promise<void>;
};

const PREFIX = "knib-files-";

const heldSchema = z.strictObject({ repository: z.string(), vm: z.string(), chain: z.string() });
type Held = z.infer<typeof heldSchema>;

const placeHold = async (
	{ catalog, host }: FilesDeps,
	id: string,
	held: Held,
	why: string,
): Promise<Hold | undefined> => {
	const repository = await catalog.open(held.repository);
	try {
		const words = `${why} (on ${host.name})`;
		return await repository.hold(held.vm, held.chain, { host: host.id, job: id, why: words });
	} catch (thrown) {
		// one that cannot be written to here: what another host deletes makes the reading fail, never wrong
		if (asKnibError(thrown).code === "REPOSITORY_READ_ONLY") return undefined;
		throw thrown;
	}
};

/** The top layer of a disk whose files may be read now. Rejects with the refusal's code. */
const proven = async (
	deps: FilesDeps,
	view: BackupView,
	disk: string,
): Promise<{ readonly layer: string; readonly pointInTime: string }> => {
	const found = await findInRepository(deps, view);
	const readable = readableDisk({ view, found }, disk);
	if (isRefusal(readable)) {
		throw new KnibError(readable.code, readable.message, { details: readable.details });
	}
	const layer = readable.layers[0]?.path;
	if (layer === undefined || found === null) {
		throw new KnibError("INTERNAL", `backup ${view.id} was neither found nor refused`);
	}
	return { layer, pointInTime: found.backup.manifest.identity.pointInTime };
};

/** Opens a disk of a backup. Rejects with REFUSED, NOT_FOUND, VERIFY_FAILED, APPLIANCE_UNAVAILABLE; nothing is left then. */
export const openDisk = async (
	deps: FilesDeps,
	view: BackupView,
	disk: string,
): Promise<OpenDisk> => {
	await proven(deps, view, disk);
	const id = deps.ids.uuid();
	const directory = join(deps.scratch, `${PREFIX}${id}`);
	const held = { repository: view.repository ?? "", vm: view.vm.uuid, chain: view.chain ?? "" };
	const ends: (() => Promise<void>)[] = [];
	const close = async (): Promise<void> => {
		for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
	};
	try {
		await mkdir(directory, { mode: 0o700 });
		ends.push(() => rm(directory, { recursive: true, force: true }));
		await writeFile(join(directory, "held.json"), JSON.stringify(held));
		const hold = await placeHold(deps, id, held, `files of backup ${view.id} are being read`);
		if (hold !== undefined) ends.push(() => hold.release());
		const { layer, pointInTime } = await proven(deps, view, disk);
		const guestfish = await deps.startAppliance(directory, layer);
		ends.push(() => guestfish.close());
		return { disk: createGuestDisk(guestfish, directory), pointInTime, close };
	} catch (thrown) {
		await close();
		throw thrown;
	}
};

const readHeld = async (directory: string): Promise<Held | undefined> => {
	try {
		return heldSchema.parse(JSON.parse(await readFile(join(directory, "held.json"), "utf8")));
	} catch {
		return undefined;
	}
};

/** Gives back what an earlier life of the daemon held and removes its directories. Its appliances have died with it. */
export const sweepOpenDisks = async (
	deps: Omit<FilesDeps, "startAppliance" | "ids">,
	onProblem: (error: unknown) => void,
): Promise<void> => {
	const names = await readdir(deps.scratch).catch((thrown: unknown): string[] => {
		if (errnoOf(thrown) === "ENOENT") return [];
		throw thrown;
	});
	for (const name of names) {
		const id = uuidSchema.safeParse(name.slice(PREFIX.length)).data;
		if (!name.startsWith(PREFIX) || id === undefined) continue;
		const directory = join(deps.scratch, name);
		const held = await readHeld(directory);
		try {
			if (held !== undefined) {
				const repository = await deps.catalog.open(held.repository);
				const holder = { host: deps.host.id, job: id, why: "given back" };
				await (await repository.hold(held.vm, held.chain, holder)).release();
			}
			await rm(directory, { recursive: true, force: true });
		} catch (thrown) {
			onProblem(thrown);
		}
	}
};
