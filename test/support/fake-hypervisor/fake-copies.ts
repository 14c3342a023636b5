// Copies between the fake world's images: what convert and commit compute.
import {
	addFakeImage,
	chainAt,
	clustersOf,
	type FakeLink,
	type FakeWorld,
	imageAt,
	valueAt,
	writeClusters,
} from "./fake-world.ts";

/** Clusters that any image of a part of a chain holds, with what is read through that part. */
export const heldBy = (links: readonly FakeLink[]): ReadonlyMap<number, number> => {
	const values = new Map<number, number>();
	for (const { image } of [...links].reverse()) {
		for (const [cluster, value] of image.clusters) values.set(cluster, value);
	}
	return values;
};

/** Everything a guest reads from a chain, by cluster; zeroes left out. */
export const guestView = (world: FakeWorld, path: string): ReadonlyMap<number, number> => {
	const chain = chainAt(world, path);
	const view = new Map<number, number>();
	const size = chain[0]?.image.size ?? 0;
	for (let cluster = 0; cluster < clustersOf(size); cluster += 1) {
		const value = valueAt(chain, cluster);
		if (value !== 0) view.set(cluster, value);
	}
	return view;
};

/** Writes what the images above `base`, up to and with `top`, hold into `base`, and makes what stood on `top` stand on it. */
export const mergeDown = (
	world: FakeWorld,
	active: string,
	range: { readonly base: string; readonly top: string },
): void => {
	const chain = chainAt(world, active);
	const top = chain.findIndex((link) => link.path === range.top);
	const base = chain.findIndex((link) => link.path === range.base);
	const topImage = imageAt(world, range.top);
	const baseImage = imageAt(world, range.base);
	baseImage.size = Math.max(baseImage.size, topImage.size);
	writeClusters(world, range.base, heldBy(chain.slice(top, base)));
	const above = chain[top - 1];
	if (above === undefined) return;
	above.image.backing = { name: range.base, format: baseImage.format };
	writeClusters(world, above.path, []);
};

/** A new image at `path` that holds a copy of what a chain holds; with `onto` only what its top image holds. */
export const copyImage = (
	world: FakeWorld,
	source: string,
	target: {
		readonly path: string;
		readonly format: string;
		readonly extendedL2: boolean;
		readonly compression: "zlib" | "zstd";
	},
	onto: { readonly path: string; readonly format: string } | undefined,
): void => {
	const top = imageAt(world, source);
	const values = onto === undefined ? guestView(world, source) : top.clusters;
	addFakeImage(world, target.path, {
		format: target.format,
		size: top.size,
		backing: onto === undefined ? null : { name: onto.path, format: onto.format },
		clusters: new Map(values),
		extendedL2: target.extendedL2,
		compression: target.compression,
	});
};
