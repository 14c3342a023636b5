// The world that the fake ports share: image files with their contents by 64 KiB clusters, and VMs by their definitions. One value
// a cluster is enough to see whose data a guest would read.
import { createHash } from "node:crypto";
import { KnibError, type VmSnapshot } from "@knib/core";
import {
	isPlainBackingName,
	resolveBacking,
} from "../../../apps/host-daemon/src/hypervisor/image-path.ts";
import { createFakeControl, type FakeControl } from "./fake-control.ts";

/** Bytes that one value stands for. */
export const CLUSTER = 65_536;

export type FakeImage = {
	format: string;
	/** Bytes the guest sees. */
	size: number;
	/** As the header has it. */
	backing: { name: string; format?: string } | null;
	/** Value by cluster; what is not here is read from below, or is 0. */
	readonly clusters: Map<number, number>;
	readonly snapshots: string[];
	readonly kind: "file" | "block";
	readonly inode: number;
	mtime: bigint;
	ctime: bigint;
	uid: number;
	gid: number;
	mode: number;
	extendedL2: boolean;
	compression: "zlib" | "zstd";
	/** Changes whenever data moves to another place on the disk. */
	place: number;
};

export type FakeAgent = {
	/** Whether it answers at all. */
	answers: boolean;
	readonly fileSystems: number;
	frozen: boolean;
	/** What a program in the guest does. */
	run(path: string, args: readonly string[]): { exitCode: number; stdout: string };
};

export type FakeJob = { readonly base: string; readonly top: string; readonly ready: boolean };

export type FakeVm = {
	readonly uuid: string;
	readonly name: string;
	/** Absent for a transient VM. */
	inactive?: string;
	/** Absent when it is off. */
	live?: string;
	paused: boolean;
	/** Definition inside a managed-save image. */
	saved?: string;
	snapshots: readonly VmSnapshot[];
	checkpoints: number;
	/** How often it was started. */
	runs: number;
	/** Block jobs that somebody else left, by target. */
	readonly jobs: Map<string, FakeJob>;
	agent?: FakeAgent;
	/** Whether the guest heeds a request to shut down. */
	obeysShutdown: boolean;
	screen: Uint8Array;
};

export type FakeWorld = {
	readonly images: Map<string, FakeImage>;
	readonly vms: Map<string, FakeVm>;
	/** Paths that somebody outside holds qemu's write lock on. */
	readonly held: Set<string>;
	readonly control: FakeControl;
	/** A number that was not there before; also the time in nanoseconds. */
	next(): number;
};

/** An empty world. */
export const createFakeWorld = (): FakeWorld => {
	let count = 1_700_000_000_000;
	return {
		images: new Map(),
		vms: new Map(),
		held: new Set(),
		control: createFakeControl(),
		next: () => {
			count += 1;
			return count;
		},
	};
};

const failed = (message: string): KnibError => new KnibError("COMMAND_FAILED", message);

/** Puts an image file into the world. */
export const addFakeImage = (
	world: FakeWorld,
	path: string,
	image: Pick<FakeImage, "format" | "size"> & Partial<FakeImage>,
): FakeImage => {
	const now = BigInt(world.next());
	const made: FakeImage = {
		backing: null,
		clusters: new Map(),
		snapshots: [],
		kind: "file",
		inode: world.next(),
		mtime: now,
		ctime: now,
		uid: 0,
		gid: 0,
		mode: 0o644,
		extendedL2: false,
		compression: "zlib",
		place: world.next(),
		...image,
	};
	world.images.set(path, made);
	return made;
};

/** The image at a path. */
export const imageAt = (world: FakeWorld, path: string): FakeImage => {
	const image = world.images.get(path);
	if (image === undefined) throw failed(`could not open '${path}': No such file or directory`);
	return image;
};

/** The backing file as an absolute path; null for none. */
export const backingOf = (path: string, image: FakeImage): string | null => {
	if (image.backing === null) return null;
	const { name } = image.backing;
	return isPlainBackingName(name) ? resolveBacking(path, name) : name;
};

export type FakeLink = { readonly path: string; readonly image: FakeImage };

/** An image and all below it, top first, as qemu would open them. */
export const chainAt = (world: FakeWorld, path: string): readonly FakeLink[] => {
	const image = imageAt(world, path);
	const below = backingOf(path, image);
	return [{ path, image }, ...(below === null ? [] : chainAt(world, below))];
};

/** The value that a guest reads from a cluster of a chain; 0 where nothing was written. */
export const valueAt = (chain: readonly FakeLink[], cluster: number): number => {
	for (const { image } of chain) {
		const value = image.clusters.get(cluster);
		if (value !== undefined) return value;
	}
	return 0;
};

/** Marks that an image's contents or header were changed. */
export const touch = (world: FakeWorld, image: FakeImage): void => {
	const now = BigInt(world.next());
	image.mtime = now;
	image.ctime = now;
};

/** Writes a value into some clusters of one image. */
export const writeClusters = (
	world: FakeWorld,
	path: string,
	values: Iterable<readonly [number, number]>,
): void => {
	const image = imageAt(world, path);
	for (const [cluster, value] of values) {
		if (!image.clusters.has(cluster)) image.place = world.next();
		image.clusters.set(cluster, value);
	}
	touch(world, image);
};

/** Number of clusters of a disk. */
export const clustersOf = (size: number): number => Math.ceil(size / CLUSTER);

/** SHA-256 of any plain value. */
export const digestOf = (value: unknown): string =>
	createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** Digest of what stands in an image's header. */
export const headerOf = (image: FakeImage): string =>
	image.format === "raw"
		? digestOf(["raw", image.clusters.get(0) ?? 0])
		: digestOf([image.format, image.size, image.backing, image.snapshots, image.extendedL2]);

/** Names an image whatever its path: two paths may lead to one. */
export const identityOf = (world: FakeWorld, path: string): string | null => {
	const image = world.images.get(path);
	return image === undefined ? null : `fake ${image.inode}`;
};
