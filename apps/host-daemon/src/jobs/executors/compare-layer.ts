import { type Extent, type ImageRef, KnibError, type LayerPlan } from "@knib/core";
import type { StepContext } from "../context.ts";

/** Bytes that the images of the increment hold, as seen from the top one; what lies below belongs to the parent. */
const heldBy = (extents: readonly Extent[], layers: number): readonly Extent[] =>
	extents.filter((extent) => extent.present && extent.depth < layers);

/** Whether every byte that `source` holds is held by `copy` too. Both are sorted by start. */
export const coversAll = (source: readonly Extent[], copy: readonly Extent[]): boolean => {
	let index = 0;
	for (const extent of source) {
		let at = extent.start;
		const end = extent.start + extent.length;
		while (at < end) {
			const cover = copy[index];
			if (cover === undefined || cover.start > at) return false;
			const coverEnd = cover.start + cover.length;
			if (coverEnd <= at) {
				index += 1;
				continue;
			}
			at = Math.min(end, coverEnd);
		}
	}
	return true;
};

const fail = (target: string, message: string): never => {
	throw new KnibError(
		"VERIFY_FAILED",
		`the copy of ${target} is not what the guest would read: ${message}`,
	);
};

/** Proves that a copied layer reads as the frozen image did. A whole disk is compared whole. An increment is compared by what it holds, so that the cost grows with the increment: its extents must all be in the copy, and the two images, read without what is below them, must be equal. Where they are not, because the copy rounded an extent up, the whole views decide. */
export const compareLayer = async (
	context: StepContext,
	layer: LayerPlan,
	top: ImageRef,
	copy: string,
): Promise<void> => {
	const { images } = context.deps;
	const b = { path: copy, format: "qcow2" };
	const options = { signal: context.signal };
	if (layer.mode === "increment") {
		const count = layer.images.length;
		const source = heldBy(await images.map(top.path, top.format), count);
		const copied = heldBy(await images.map(copy, "qcow2"), 1);
		if (!coversAll(source, copied)) fail(layer.target, "parts of the increment are missing");
		if (count === 1) {
			const quick = await images.compare(top, b, { ...options, topOnly: true });
			if (quick.identical) return;
		}
	}
	const result = await images.compare(top, b, options);
	if (!result.identical) fail(layer.target, result.message);
};
