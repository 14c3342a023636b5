// What the contracts of DiskImages and Hypervisor need of an implementation beside the port itself: images with known contents.
import { type DiskImages, KnibError } from "@knib/core";
import type { ExecutionContext } from "ava";

export const KIB = 1024;
export const MIB = 1024 * KIB;
/** Contents are written in whole clusters. */
export const CLUSTER = 64 * KIB;

export type ImageHarness = {
	readonly images: DiskImages;
	/** Absolute; a path with a blank, a comma and a colon, so that names are never taken for something else. */
	readonly directory: string;
	/** Makes an image behind the port's back and gives its path. */
	image(name: string, image: { format: "qcow2" | "raw"; size: number }): Promise<string>;
	/** Fills whole clusters of one image with a byte, as somebody else would who opened it for writing. */
	fill(
		image: { path: string; format: string },
		range: { start: number; length: number; value: number },
	): Promise<void>;
	/** The byte that a guest would read. */
	read(image: { path: string; format: string }, offset: number): Promise<number>;
	/** Writes any backing name into a header; without a format the header does not say it. */
	nameBacking(path: string, backing: { name: string; format?: string }): Promise<void>;
	close(): Promise<void>;
};

/** Asserts that a promise rejects with one of some codes. */
export const rejectsWith = async (
	t: ExecutionContext<unknown>,
	work: Promise<unknown>,
	...codes: readonly string[]
): Promise<KnibError> => {
	const error = await t.throwsAsync(work);
	if (!(error instanceof KnibError)) throw new Error(`no KnibError: ${error?.stack}`);
	t.true(codes.includes(error.code), `${error.code}: ${error.message}`);
	return error;
};

/** An overlay over an image, with some clusters filled. */
export const overlayOn = async (
	harness: ImageHarness,
	name: string,
	backing: { path: string; format: string },
	fill?: { start: number; length: number; value: number },
): Promise<{ path: string; format: string }> => {
	const { virtualSize } = await harness.images.info(backing.path, backing.format);
	const path = `${harness.directory}/${name}`;
	await harness.images.createOverlay({
		path,
		backing: backing.path,
		backingFormat: backing.format,
		size: virtualSize,
		like: backing.path,
	});
	const overlay = { path, format: "qcow2" };
	if (fill !== undefined) await harness.fill(overlay, fill);
	return overlay;
};
