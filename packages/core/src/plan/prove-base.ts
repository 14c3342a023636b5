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

/** A disk that is copied whole inside an increment, and why. */
export type WholeDisk = { readonly target: string; readonly reason: string };

/** What an increment stands on: for each disk that goes on, the position of the overlay that the parent backup made. */
export type ProvenBase = {
	readonly indexes: ReadonlyMap<string, number>;
	readonly whole: readonly WholeDisk[];
	/** Disks of the parent backup that this one has not. */
	readonly gone: readonly string[];
};

/** Whether a disk is now of another size than when it was last backed up: its old layers are right for what they were. */
const wasResized = (facts: DiskFacts, tracked: TrackedFacts): boolean =>
	facts.images.some((image) => image.path === tracked.overlay.path) &&
	(facts.images[0]?.virtualSize ?? 0) !== tracked.virtualSize;

/** The base of an increment; or the reason why the VM needs a full. What an operator does to one disk alone, attaching, detaching or resizing it, leaves the chain of the others whole; any other doubt is a doubt about all. */
export const proveBase = (
	open: OpenChainFacts,
	disks: readonly DiskFacts[],
	run: string | undefined,
): ProvenBase | { readonly reason: string } => {
	const doubt = chainInDoubt(open);
	if (doubt !== undefined) return { reason: doubt };
	const tracker = open.chain.tracker;
	if (tracker === null) return { reason: "what the tracker recorded is missing" };
	const indexes = new Map<string, number>();
	const whole: WholeDisk[] = [];
	for (const facts of disks) {
		const { target } = facts.disk;
		const tracked = tracker.disks.find((disk) => disk.target === target);
		if (tracked === undefined) {
			whole.push({ target, reason: `${target} was not part of the previous backup` });
			continue;
		}
		if (wasResized(facts, tracked)) {
			whole.push({ target, reason: `${target} was resized` });
			continue;
		}
		const continuous = run !== undefined && run === tracker.run;
		const proof = proveDisk(facts, tracked, { continuous });
		if ("reason" in proof) return proof;
		indexes.set(target, proof.index);
	}
	const [first] = whole;
	if (first !== undefined && indexes.size === 0) return { reason: first.reason };
	const now = disks.map((facts) => facts.disk.target);
	const gone = tracker.disks.map((disk) => disk.target).filter((target) => !now.includes(target));
	return { indexes, whole, gone };
};
