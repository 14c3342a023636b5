// What the tracker may record after a backup (SAFETY F15): facts that were read while nobody but qemu could have written, never facts
// read later, which would take a stranger's write for the backup's own state.
import type { TrackedFiles } from "../domain/manifest.ts";
import type { Outcomes } from "../machine/journal-entry.ts";

type Merged = NonNullable<Outcomes["merged"]>[number];

/** A disk's files as the switch froze them and the merges after it left them; or why that cannot be said any more. */
export const trackedAfter = (
	frozen: TrackedFiles,
	merged: readonly Merged[],
): TrackedFiles | { readonly reason: string } => {
	let below = frozen.below;
	for (const { into, overlays, base } of merged.filter((one) => one.target === frozen.target)) {
		if (base === null) return { reason: `${into} may have been written while knibd was down` };
		below = below
			.filter((file) => !overlays.includes(file.path))
			.map((file) => (file.path === into ? base : file));
	}
	return { ...frozen, below };
};

/** Whether a VM has run without a stop since its files were frozen: qemu kept everybody else from writing them. */
export const ranSince = (run: string | undefined, frozen: Outcomes["frozen"]): boolean =>
	run !== undefined && run === frozen?.run;
