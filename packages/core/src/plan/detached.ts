// The overlay of a disk that has left its VM since the last backup still holds what the guest wrote last: it goes into the file below it,
// which is the disk that its owner knows (SPEC 2.7).
import type { OpenChainFacts, VmFacts } from "./facts.ts";
import type { DetachedPlan } from "./steps.ts";

/** Tracked overlays that no disk of the VM stands on any more. Pure; whether each can be merged is proven right before. */
export const detachedOverlays = (
	open: OpenChainFacts | null,
	disks: VmFacts["disks"],
): readonly DetachedPlan[] => {
	const carried = new Set(disks.flatMap(({ images }) => images.map(({ path }) => path)));
	const named = new Set(disks.map(({ disk }) => disk.path));
	return (open?.chain.tracker?.disks ?? [])
		.filter(({ overlay }) => !carried.has(overlay.path) && !named.has(overlay.path))
		.filter(({ target }) => !disks.some(({ disk }) => disk.target === target))
		.flatMap(({ target, overlay, below: [base] }) =>
			base === undefined ? [] : [{ target, overlay, base }],
		);
};
