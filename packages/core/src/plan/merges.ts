// Which overlays are merged down, and into what (SPEC 2.4, SAFETY F2, F13, F14). Pure: the same proof is made again by the
// executor, right before each merge, on facts gathered then.
import type { FileFacts, ImageInfo } from "../domain/image.ts";
import type { FileUse } from "../domain/vm.ts";
import { isOverlayName } from "./overlay-name.ts";
import { fileDiffers } from "./prove-base.ts";
import type { ImageRef, MergePlan } from "./steps.ts";

/** An image of a disk's chain as far as merging is concerned. */
export type ChainImage = Pick<ImageInfo, "path" | "format" | "snapshots" | "dataFile" | "backing">;

const asRef = (image: ChainImage): ImageRef => ({
	path: image.path,
	format: image.format === "raw" ? "raw" : "qcow2",
});

/** What the tracker recorded of a file, by path; null where it recorded nothing. */
export type Recorded = (path: string) => FileFacts | null;

/** Runs of knib's own overlays in a disk's chain (top first), each with the image below it; the lowest run first. `keepTop` leaves the image in use alone. */
export const planMerges = (
	target: string,
	images: readonly ChainImage[],
	options: { readonly keepTop: boolean; readonly recorded?: Recorded },
): readonly MergePlan[] => {
	const merges: MergePlan[] = [];
	let run: ChainImage[] = [];
	for (const [index, image] of images.entries()) {
		if (isOverlayName(image.path) && !(options.keepTop && index === 0)) {
			run.push(image);
			continue;
		}
		const top = run[0];
		if (top !== undefined) {
			merges.push({
				target,
				base: asRef(image),
				top: top.path,
				overlays: run.map((one) => one.path),
				recorded: options.recorded?.(image.path) ?? null,
			});
		}
		run = [];
	}
	return merges.reverse();
};

/** What is known right before a merge. */
export type MergeFacts = {
	readonly vm: string;
	/** The disk's chain now, top first, as the image headers say. */
	readonly images: readonly ChainImage[];
	readonly uses: readonly FileUse[];
	/** What the paths of the merge lead to now, as `DiskImages.identity` says. */
	readonly files: ReadonlyMap<string, string | null>;
	/** Base and overlays as they are now, with what they are to be compared with; empty when an earlier attempt at this very merge has already written. */
	readonly proofs: readonly { readonly now: FileFacts; readonly before: FileFacts }[];
};

/** Whether a use is of this file, under whatever name. */
export const isUseOf = (
	use: Pick<FileUse, "path" | "file">,
	path: string,
	file: string | null,
): boolean => use.path === path || (file !== null && use.file === file);

/** A use by anything but the disk itself: another VM, another disk of this one, a saved state, a snapshot that needs the file as it is. */
const isForeign = (use: FileUse, merge: MergePlan, vm: string): boolean =>
	use.vm !== vm ||
	(use.target !== undefined && use.target !== merge.target) ||
	use.where === "managed save" ||
	(use.where === "snapshot" && !use.writable);

/** Why a merge must not be made now, in words; undefined when it is proven safe. */
export const whyNotMerge = (merge: MergePlan, facts: MergeFacts): string | undefined => {
	const paths = facts.images.map((image) => image.path);
	const at = paths.indexOf(merge.top);
	if (at < 0) return `${merge.top} is not in the chain of ${merge.target}: it is an orphan`;
	const expected = [...merge.overlays, merge.base.path];
	if (expected.some((path, index) => paths[at + index] !== path)) {
		return `the images of ${merge.target} are not where they were`;
	}
	for (const image of facts.images.slice(at, at + merge.overlays.length)) {
		if (image.snapshots.length > 0) return "operator's internal snapshot in an overlay";
		if (image.dataFile !== undefined) return `${image.path} has an external data file`;
	}
	for (const path of expected) {
		const file = facts.files.get(path) ?? null;
		const use = facts.uses.find(
			(one) => isUseOf(one, path, file) && isForeign(one, merge, facts.vm),
		);
		if (use !== undefined) return `${path} is used elsewhere (${use.where} of ${use.vm})`;
	}
	for (const { now, before } of facts.proofs) {
		const differs = fileDiffers(now, before);
		if (differs !== undefined) return `${now.path} ${differs}`;
	}
	return undefined;
};
