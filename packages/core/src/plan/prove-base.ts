// The proof of an increment's base (SPEC 2.6, SAFETY F15): the overlay in use is the one that was created, nothing else wrote the
// files below it, and the parent in the repository is the one that was published. What cannot be proven becomes a full.
import type { FileFacts, ImageInfo } from "../domain/image.ts";
import type { TrackerFacts } from "../domain/manifest.ts";
import type { DiskFacts, OpenChainFacts } from "./facts.ts";

type TrackedFacts = TrackerFacts["disks"][number];

/** How a file below the overlay differs from what was recorded; undefined when it is the same. A change of ctime alone is owner or label, unless the file's extents moved too. */
export const fileDiffers = (now: FileFacts, then: FileFacts): string | undefined => {
	if (now.inode !== then.inode || now.fileSystem !== then.fileSystem) return "is another file now";
	if (now.kind !== then.kind) return "is of another kind now";
	if (now.size !== then.size) return "has another size now";
	if (now.mtime !== then.mtime) return "was written by something else";
	if (now.headerDigest !== then.headerDigest) return "has another header now";
	if (now.ctime === then.ctime) return undefined;
	if (now.extentsDigest !== undefined && now.extentsDigest === then.extentsDigest) return undefined;
	const owner = now.uid !== then.uid || now.gid !== then.gid || now.mode !== then.mode;
	if (owner && now.extentsDigest === undefined && then.extentsDigest === undefined)
		return undefined;
	return "was changed by something else (its ctime moved, and not only its owner)";
};

const differsBelow = (facts: DiskFacts, at: number, tracked: TrackedFacts): string | undefined => {
	const now = facts.below.slice(at);
	if (now.length !== tracked.below.length) return "stands on other files than recorded";
	for (const [index, then] of tracked.below.entries()) {
		const file = now[index];
		if (file === undefined || file.path !== then.path) return "stands on other files than recorded";
		const differs = fileDiffers(file, then);
		if (differs !== undefined) return `stands on ${file.path}, which ${differs}`;
	}
	return undefined;
};

/** Whether the VM has run without a stop since the tracker's facts were recorded. */
type RunProof = { readonly continuous: boolean };

/** Position of the tracked overlay among a disk's images, or why the disk's increment cannot be trusted. */
export const proveDisk = (
	facts: DiskFacts,
	tracked: TrackedFacts,
	run: RunProof,
): { readonly index: number } | { readonly reason: string } => {
	const { target } = facts.disk;
	const index = facts.images.findIndex((image: ImageInfo) => image.path === tracked.overlay.path);
	if (index < 0) return { reason: `overlay of ${target} is gone` };
	const size = facts.images[0]?.virtualSize ?? 0;
	if (size !== tracked.virtualSize) return { reason: `${target} was resized` };
	const file = index === 0 ? facts.top : facts.below[index - 1];
	if (file === undefined || file === null) return { reason: `overlay of ${target} cannot be read` };
	if (file.inode !== tracked.overlay.inode || file.fileSystem !== tracked.overlay.fileSystem) {
		return { reason: `overlay of ${target} was replaced` };
	}
	const inside = facts.images.slice(0, index + 1);
	if (inside.some((image) => image.format !== "qcow2")) {
		return { reason: `an image above the overlay of ${target} is not qcow2` };
	}
	const withSnapshot = inside.find((image) => image.snapshots.length > 0);
	if (withSnapshot !== undefined) {
		return { reason: `the overlay of ${target} holds an internal snapshot of the operator` };
	}
	const below = differsBelow(facts, index, tracked);
	if (below !== undefined) return { reason: `${target} ${below}` };
	if (!run.continuous && tracked.below.some((file) => file.kind === "block")) {
		return { reason: `${target} is a block device and was not in use all the time` };
	}
	return { index };
};

const targetsDiffer = (disks: readonly DiskFacts[], tracker: TrackerFacts): string | undefined => {
	const now = disks.map((facts) => facts.disk.target);
	const then = tracker.disks.map((disk) => disk.target);
	const attached = now.filter((target) => !then.includes(target));
	if (attached.length > 0) return `${attached.join(", ")} was not part of the previous backup`;
	const detached = then.filter((target) => !now.includes(target));
	if (detached.length > 0) return `${detached.join(", ")} is no longer part of the backup`;
	return undefined;
};

const chainInDoubt = (open: OpenChainFacts): string | undefined => {
	const newest = open.chain.members.at(-1);
	if (newest === undefined) return "the chain holds no backup";
	const problem = open.chain.problems[0] ?? open.parentProblems[0];
	if (problem !== undefined) return `the chain in the repository cannot be trusted: ${problem}`;
	const tracker = open.chain.tracker;
	if (tracker === null) return "what the tracker recorded is missing";
	if (
		tracker.backup !== newest.manifest.identity.id ||
		tracker.identityDigest !== newest.manifest.identityDigest
	) {
		return "the newest backup is not the one that the tracker recorded";
	}
	return undefined;
};

/** For each disk, the position of the overlay that the parent backup made; or the reason why the VM needs a full. */
export const proveBase = (
	open: OpenChainFacts,
	disks: readonly DiskFacts[],
	run: string | undefined,
): { readonly indexes: ReadonlyMap<string, number> } | { readonly reason: string } => {
	const doubt = chainInDoubt(open);
	if (doubt !== undefined) return { reason: doubt };
	const tracker = open.chain.tracker;
	if (tracker === null) return { reason: "what the tracker recorded is missing" };
	const targets = targetsDiffer(disks, tracker);
	if (targets !== undefined) return { reason: targets };
	const indexes = new Map<string, number>();
	for (const facts of disks) {
		const tracked = tracker.disks.find((disk) => disk.target === facts.disk.target);
		if (tracked === undefined) return { reason: `${facts.disk.target} was not tracked` };
		const proof = proveDisk(facts, tracked, {
			continuous: run !== undefined && run === tracker.run,
		});
		if ("reason" in proof) return proof;
		indexes.set(facts.disk.target, proof.index);
	}
	return { indexes };
};
