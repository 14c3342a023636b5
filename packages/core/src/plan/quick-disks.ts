// What a quick restore needs beside a plain one: overlays over the repository's layers instead of copies, and why it is refused. Pure.
import { type Refusal, refuse } from "./plan.ts";
import type { RestoreReads } from "./read-layers.ts";
import type { QuickFacts } from "./restore-facts.ts";
import type { QuickDiskPlan, RestoreDiskPlan } from "./steps.ts";

/** Why the backup is not restored quickly; undefined when it can be, or when nobody has asked. */
export const whyNotQuick = (backup: string, quick: QuickFacts | null): Refusal | undefined => {
	if (quick === null) return undefined;
	const hint = "restore it without --quick";
	if (!quick.allowed) {
		const text = `the offering that backup ${backup} was taken under does not allow quick restores`;
		return refuse("REFUSED", text, { hint });
	}
	if (quick.obstacles.length === 0) return undefined;
	return refuse("REFUSED", `no VM can run over the layers here: ${quick.obstacles.join("; ")}`, {
		hint,
		obstacles: quick.obstacles,
	});
};

/** Overlays instead of copies. `placeOf` gives the path that a disk ends up with. */
export const quickDisks = (
	disks: readonly RestoreDiskPlan[],
	reads: RestoreReads,
	quick: QuickFacts,
	placeOf: (disk: RestoreDiskPlan) => string = (disk) => disk.path,
): readonly QuickDiskPlan[] =>
	disks.map((disk) => {
		const { target, path, virtualSize, bytes } = disk;
		const layers = reads.disks.find((one) => one.target === target)?.layers ?? [];
		const policies = quick.policies[target] ?? { write: null, read: null };
		const paths = layers.map((layer) => layer.path);
		return { target, path, place: placeOf(disk), layers: paths, virtualSize, bytes, policies };
	});
