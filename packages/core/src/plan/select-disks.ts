import type { SkippedDisk } from "../domain/manifest.ts";
import type { VmDisk } from "../domain/vm.ts";
import type { DiskFacts } from "./facts.ts";
import { type Refusal, refuse } from "./plan.ts";

/** Why a disk of this kind is never backed up; undefined for one that is (SPEC 2.8). */
export const whySkipped = (disk: VmDisk): string | undefined => {
	if (disk.device === "cdrom") return "a CD-ROM";
	if (disk.device === "floppy") return "a floppy";
	if (disk.device === "lun") return "a passed-through SCSI LUN";
	if (disk.readonly) return "read-only";
	if (disk.shareable) return "shareable: other VMs may write it at the same time";
	if (disk.transient) return "transient: its writes are thrown away";
	if (disk.source === "network") return "a network disk";
	if (disk.source === "other") return "its source is neither a file nor a block device";
	if (disk.path === undefined) return "it has no source";
	return undefined;
};

/** Why a disk that should be backed up cannot be, safely; undefined when it can. */
const whyUnsafe = (facts: DiskFacts): string | undefined => {
	const { disk } = facts;
	if (disk.encrypted || facts.images.some((image) => image.encrypted)) {
		return "it is encrypted, and its overlay and layers would not be";
	}
	if (disk.format !== "qcow2" && disk.format !== "raw") {
		return `its format is ${disk.format ?? "not named in the definition"}; qcow2 and raw are supported`;
	}
	if (facts.problem !== null) return facts.problem;
	if (facts.images.some((image) => image.corrupt)) return "its image is marked corrupt";
	return undefined;
};

type Wanted = {
	readonly only: readonly string[];
	readonly exclude: readonly string[];
	readonly excludedForVm: readonly string[];
};

const whyExcluded = (target: string, wanted: Wanted): string | undefined => {
	if (wanted.only.length > 0 && !wanted.only.includes(target))
		return "not among the disks asked for";
	if (wanted.exclude.includes(target)) return "excluded on request";
	if (wanted.only.length === 0 && wanted.excludedForVm.includes(target))
		return "excluded for this VM";
	return undefined;
};

/** The disks of a backup and those left out with the reason. Refuses names the VM does not have, disks that cannot be copied safely, and an empty set. */
export const selectDisks = (
	disks: readonly DiskFacts[],
	wanted: Wanted,
):
	| { readonly chosen: readonly DiskFacts[]; readonly skipped: readonly SkippedDisk[] }
	| Refusal => {
	const known = disks.map((facts) => facts.disk.target);
	const unknown = [...wanted.only, ...wanted.exclude].filter((target) => !known.includes(target));
	if (unknown.length > 0) {
		return refuse("USAGE", `the VM has no disk ${unknown.join(", ")}; it has ${known.join(", ")}`);
	}
	const chosen: DiskFacts[] = [];
	const skipped: SkippedDisk[] = [];
	for (const facts of disks) {
		const { target } = facts.disk;
		const reason = whyExcluded(target, wanted) ?? whySkipped(facts.disk);
		if (reason === undefined) chosen.push(facts);
		else skipped.push({ target, reason });
	}
	for (const facts of chosen) {
		const unsafe = whyUnsafe(facts);
		if (unsafe !== undefined) {
			return refuse("DISK_UNSUPPORTED", `disk ${facts.disk.target} cannot be backed up: ${unsafe}`);
		}
	}
	if (chosen.length === 0) {
		const why = skipped.map(({ target, reason }) => `${target}: ${reason}`).join("; ");
		return refuse("REFUSED", `no disk of this VM can be backed up: ${why || "it has none"}`, {
			skipped,
			hint: "ask for a disk that is not skipped; `knib vm show VM` lists them",
		});
	}
	return { chosen, skipped };
};
