// What the fake DiskImages reads: headers, chains, maps, comparisons.
import { type Extent, type ImageInfo, KnibError } from "@knib/core";
import { absolutePath } from "../../../apps/host-daemon/src/hypervisor/image-path.ts";
import { guestView } from "./fake-copies.ts";
import {
	backingOf,
	CLUSTER,
	chainAt,
	clustersOf,
	type FakeImage,
	type FakeWorld,
	imageAt,
} from "./fake-world.ts";

const DEEPEST = 200;

const failed = (message: string): KnibError => new KnibError("COMMAND_FAILED", message);

/** Bytes of data in an image. */
export const allocated = (image: FakeImage): number => image.clusters.size * CLUSTER;

/** The port's `info`. */
export const infoOf = (world: FakeWorld, path: string, format: string): ImageInfo => {
	const image = imageAt(world, absolutePath(path));
	const bare = { path, format, actualSize: allocated(image), snapshots: [], encrypted: false };
	const clean = { ...bare, extendedL2: false, dirty: false, corrupt: false };
	if (format === "raw") {
		return { ...clean, virtualSize: image.format === "raw" ? image.size : allocated(image) };
	}
	if (image.format !== format) throw failed(`could not open '${path}': not in ${format} format`);
	const below = backingOf(path, image);
	const known = image.backing?.format;
	return {
		...clean,
		virtualSize: image.size,
		...(below === null
			? {}
			: { backing: { path: below, ...(known === undefined ? {} : { format: known }) } }),
		snapshots: [...image.snapshots],
		clusterSize: CLUSTER,
		compat: "1.1",
		compressionType: image.compression,
		extendedL2: image.extendedL2,
	};
};

const unsupported = (message: string): KnibError => new KnibError("DISK_UNSUPPORTED", message);

/** The port's `chain`. */
export const chainOf = (world: FakeWorld, path: string, format: string): readonly ImageInfo[] => {
	const images: ImageInfo[] = [];
	let at: { path: string; format: string } | undefined = { path, format };
	while (at !== undefined) {
		const info = infoOf(world, at.path, at.format);
		if (images.length >= DEEPEST || images.some((image) => image.path === info.path)) {
			throw unsupported(`the chain of ${path} does not end`);
		}
		images.push(info);
		const next: ImageInfo["backing"] = info.backing;
		if (next === undefined) break;
		if (!next.path.startsWith("/")) throw unsupported(`${next.path} is no plain file name`);
		if (next.format === undefined) throw unsupported(`the format of ${next.path} is not said`);
		at = { path: next.path, format: next.format };
	}
	return images;
};

/** The port's `map`. */
export const mapOf = (world: FakeWorld, path: string): readonly Extent[] => {
	const chain = chainAt(world, path);
	const extents: Extent[] = [];
	for (let cluster = 0; cluster < clustersOf(chain[0]?.image.size ?? 0); cluster += 1) {
		const found = chain.findIndex(({ image }) => image.clusters.has(cluster));
		const present = found >= 0;
		const value = chain[found]?.image.clusters.get(cluster) ?? 0;
		const depth = present ? found : chain.length - 1;
		const next = { depth, present, zero: value === 0, data: value !== 0 };
		const last = extents.at(-1);
		const goesOn = last?.depth === depth && last.present === present && last.zero === next.zero;
		if (last !== undefined && goesOn) {
			extents[extents.length - 1] = { ...last, length: last.length + CLUSTER };
		} else extents.push({ start: cluster * CLUSTER, length: CLUSTER, ...next });
	}
	return extents;
};

/** The port's `compare`. */
export const compareImages = (
	world: FakeWorld,
	[a, b]: readonly [string, string],
	topOnly: boolean,
): { identical: boolean; message: string } => {
	const [one, other] = [imageAt(world, a), imageAt(world, b)];
	if (one.size !== other.size) {
		return {
			identical: false,
			message: `virtual sizes differ: ${one.size} and ${other.size} bytes`,
		};
	}
	const view = (path: string) => (topOnly ? imageAt(world, path).clusters : guestView(world, path));
	const [left, right] = [view(a), view(b)];
	const clusters = [...new Set([...left.keys(), ...right.keys()])].sort((x, y) => x - y);
	const at = clusters.find((cluster) => (left.get(cluster) ?? 0) !== (right.get(cluster) ?? 0));
	return at === undefined
		? { identical: true, message: "Images are identical." }
		: { identical: false, message: `Content mismatch at offset ${at * CLUSTER}!` };
};
