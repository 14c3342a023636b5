// Merging images of a VM that is off. A holder of our own keeps qemu's write lock from before the merge until the new definition
// was read back, so that a VM started at any moment either is refused by qemu or finds a chain that holds all data (SAFETY F6).
// After a crash at any point it can be done again: merging once more writes the same bytes, since the merged image still lies
// above its base and holds all of its data.
import { stat } from "node:fs/promises";
import {
	type Clock,
	type DiskImages,
	type ImageInfo,
	KnibError,
	type LongOperation,
} from "@knib/core";
import { isDeviceUsed } from "./device-users.ts";
import { afterMerge, type MergedImages, storedChain } from "./domain-rewrite.ts";
import { attempt } from "./files.ts";
import type { Converse } from "./run-command.ts";
import { holdChain } from "./storage-daemon.ts";
import { virshArgv } from "./virsh-argv.ts";
import type { Virsh } from "./virsh-client.ts";
import { readDefinitions, resolveVolumes } from "./vm-picture.ts";

export type OfflineDeps = {
	readonly virsh: Virsh;
	readonly converse: Converse;
	readonly clock: Clock;
	readonly images: Pick<DiskImages, "chain">;
};

/** The disk that is merged; `active` is the image that the definition names now, with its format. */
export type OfflineDisk = {
	readonly target: string;
	readonly base: string;
	readonly top: string;
	readonly active: { readonly path: string; readonly format: string };
};

const kindOf = async (path: string): Promise<"file" | "block"> =>
	(await attempt(`could not read ${path}`, () => stat(path))).isBlockDevice() ? "block" : "file";

const positionOf = (chain: readonly ImageInfo[], path: string): number =>
	chain.findIndex((image) => image.path === path);

/** Defines the VM anew after the merge, under the lock, and reads it back. */
const rewriteDefinition = async (
	deps: OfflineDeps,
	uuid: string,
	active: string,
	change: MergedImages,
): Promise<void> => {
	// A start that qemu is about to refuse may be under way: libvirt then shows a live definition too, which does not matter.
	const { inactive } = await readDefinitions(deps.virsh, uuid);
	const before = storedChain(inactive, change.target, change.volumes)[0];
	if (before !== active && before !== change.base.path) {
		throw new KnibError("VM_STATE", `the VM ${uuid} was defined anew during the merge`);
	}
	const wanted = afterMerge(inactive, change);
	if (wanted === undefined) return;
	await deps.virsh(virshArgv.define(), { input: wanted });
	const after = (await readDefinitions(deps.virsh, uuid)).inactive;
	const stored = storedChain(after, change.target, change.volumes);
	if (change.merged.some((path) => stored.includes(path))) {
		throw new KnibError("VERIFY_FAILED", `libvirt still names a merged image of ${change.target}`);
	}
};

/** Whether headers and definition both say that the merge is done. */
const isDone = (
	stored: readonly string[],
	chain: readonly ImageInfo[],
	disk: OfflineDisk,
): boolean => positionOf(chain, disk.top) < 0 && !stored.includes(disk.top);

/** Merges the images above `base`, up to and with `top`, into `base`, for a VM that is off. Rejects with REFUSED when `base` is not below the VM's disk, VM_BUSY when an image is in use, VM_STATE when the VM was defined on other images meanwhile. */
export const commitOffline = async (
	deps: OfflineDeps,
	uuid: string,
	disk: OfflineDisk,
	options: LongOperation = {},
): Promise<void> => {
	const chain = await deps.images.chain(disk.active.path, disk.active.format);
	const { inactive } = await readDefinitions(deps.virsh, uuid);
	const volumes = await resolveVolumes(deps.virsh, [inactive]);
	if (isDone(storedChain(inactive, disk.target, volumes), chain, disk)) return;
	const base = positionOf(chain, disk.base);
	const top = positionOf(chain, disk.top);
	const baseImage = chain[base];
	if (baseImage === undefined || (top >= 0 && top >= base)) {
		throw new KnibError(
			"REFUSED",
			`${disk.base} is not below ${disk.top} in ${disk.target}'s chain`,
		);
	}
	const kinds = await Promise.all(chain.map((image) => kindOf(image.path)));
	if (kinds[base] === "block" && (await isDeviceUsed(disk.base))) {
		throw new KnibError("VM_BUSY", `${disk.base} is in use by another process`);
	}
	const held = chain.map((image, at) => ({ ...image, kind: kinds[at] ?? "file" }));
	const holder = await holdChain(deps, held);
	try {
		if (top >= 0) await holder.commit({ top, base }, options);
		const merged = top >= 0 ? chain.slice(top, base).map((image) => image.path) : [disk.top];
		await rewriteDefinition(deps, uuid, disk.active.path, {
			target: disk.target,
			merged,
			base: { path: disk.base, format: baseImage.format, kind: kinds[base] ?? "file" },
			volumes,
		});
	} finally {
		await holder.close();
	}
};
