// Where a restore's new files go, and whose they will be.
import { stat } from "node:fs/promises";
import { normalize } from "node:path";
import {
	asKnibError,
	DEFAULT_STORAGE,
	type DiskImages,
	type FileFacts,
	type FileOwner,
	type FoundBackup,
	type RestoreNewRequest,
	restorePaths,
	type StorageFacts,
} from "@knib/core";
import type { JobDeps } from "../jobs/context.ts";

/** Bits of a mode that a disk image may have. */
const MODE_BITS = 0o666;
/** Mode of a disk image when no other one shows what is usual here. */
const OWNER_ONLY = 0o600;

type Room = { readonly free: number; readonly writable: boolean; readonly problem: string | null };

/** Why qemu's user cannot get at files of the directory, whoever owns them (SAFETY F12); null when it can. */
const closedToQemu = async (
	machine: JobDeps["machine"],
	directory: string,
): Promise<string | null> => {
	const { qemuUser } = await machine.capabilities();
	if (qemuUser === null) return null;
	const { uid, gid } = qemuUser;
	const [closed] = await machine.unreadable(qemuUser, [`${directory.replace(/\/+$/, "")}/`]);
	return closed === undefined ? null : `qemu's user (uid ${uid}, gid ${gid}) cannot enter it`;
};

const roomIn = async ({ images, machine }: JobDeps, directory: string): Promise<Room> => {
	try {
		const { free, writable } = await images.space(directory);
		const problem = (await stat(directory)).isDirectory()
			? await closedToQemu(machine, directory)
			: "it is no directory";
		return { free, writable: writable && problem === null, problem };
	} catch (thrown) {
		return { free: 0, writable: false, problem: asKnibError(thrown).message };
	}
};

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";

/** The image of the source's first disk as the oldest backup of the chain froze it; undefined when it was none of a directory for disks. */
const sourceImage = (found: FoundBackup | null, scratch: string): string | undefined => {
	if (found === null) return undefined;
	const { members } = found.chain;
	const oldest = members[0] ?? found.backup;
	const target = found.backup.manifest.identity.disks[0]?.target;
	const { disks } = oldest.manifest.tracker;
	const path = (disks.find((disk) => disk.target === target) ?? disks[0])?.frozen.path;
	if (path === undefined || path.startsWith("/dev/")) return undefined;
	return directoryOf(path) === scratch.replace(/\/+$/, "") ? undefined : path;
};

type Chosen = Room & { readonly directory: string; readonly reason: string };

const chooseDirectory = async (
	deps: JobDeps,
	asked: string | undefined,
	source: string | undefined,
): Promise<Chosen> => {
	if (asked !== undefined) {
		const directory = normalize(asked);
		return { directory, reason: "as asked for", ...(await roomIn(deps, directory)) };
	}
	if (source !== undefined) {
		const directory = directoryOf(source);
		const room = await roomIn(deps, directory);
		if (room.writable) return { directory, reason: "the source's disks were there", ...room };
	}
	const room = await roomIn(deps, DEFAULT_STORAGE);
	return { directory: DEFAULT_STORAGE, reason: "libvirt's directory for disks", ...room };
};

const factsIfFile = async (images: DiskImages, path: string): Promise<FileFacts | undefined> => {
	try {
		const facts = await images.facts(path);
		return facts.kind === "file" ? facts : undefined;
	} catch {
		return undefined;
	}
};

type Owned = { readonly owner: FileOwner; readonly ownerReason: string };

const like = ({ uid, gid, mode, path }: FileFacts, what: string): Owned => ({
	owner: { uid, gid, mode: mode & MODE_BITS, like: path },
	ownerReason: `like ${what} ${path}`,
});

/** An image that some VM of this host writes: where libvirt does not change owners, qemu's user could open it. A running VM's counts most. */
const imageInUse = async (deps: JobDeps): Promise<FileFacts | undefined> => {
	const uses = (await deps.hypervisor.fileUses()).filter((use) => use.writable);
	const inOrder = [
		...uses.filter((use) => use.where === "live"),
		...uses.filter((use) => use.where === "inactive"),
	];
	for (const use of inOrder) {
		const facts = await factsIfFile(deps.images, use.path);
		if (facts !== undefined) return facts;
	}
	return undefined;
};

const chooseOwner = async (
	deps: JobDeps,
	source: string | undefined,
	directory: string,
): Promise<Owned> => {
	const old = source === undefined ? undefined : await factsIfFile(deps.images, source);
	if (old !== undefined) return like(old, "the source's image");
	const other = await imageInUse(deps);
	if (other !== undefined) return like(other, "another VM's image");
	const facts = await stat(directory).catch(() => undefined);
	const owner = { uid: facts?.uid ?? 0, gid: facts?.gid ?? 0, mode: OWNER_ONLY };
	return { owner, ownerReason: `like the directory ${directory}` };
};

type Subject = {
	readonly request: RestoreNewRequest;
	readonly found: FoundBackup | null;
	readonly uuid: string;
};

/** The directory for the new files, what is in their way, and the owner and mode that they get (SAFETY F12). */
export const gatherStorage = async (deps: JobDeps, subject: Subject): Promise<StorageFacts> => {
	const { request, found, uuid } = subject;
	const source = sourceImage(found, deps.scratch);
	const chosen = await chooseDirectory(deps, request.storage, source);
	const targets = (found?.backup.manifest.generation.layers ?? []).map((layer) => layer.target);
	const paths = restorePaths(chosen.directory, { name: request.name, uuid }, targets);
	const files = [...paths.disks.map((disk) => disk.path), paths.nvram];
	const there = await Promise.all(
		files.map(async (path) =>
			chosen.problem === null && (await deps.images.exists(path)) ? [path] : [],
		),
	);
	return { ...chosen, taken: there.flat(), ...(await chooseOwner(deps, source, chosen.directory)) };
};
