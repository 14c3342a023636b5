// Why the files of a backup's disk may not be read. Pure; listing, extracting and comparing all ask it.
import type { BackupView } from "../api/views.ts";
import { type Refusal, refuse } from "./plan.ts";
import { type LayerRead, readLayers } from "./read-layers.ts";
import type { FoundBackup } from "./restore-facts.ts";

export type FilesSubject = {
	readonly view: Pick<BackupView, "id" | "vm" | "status">;
	/** Null when the view knows it but no repository of this host holds it. */
	readonly found: FoundBackup | null;
};

/** A disk whose files may be read: its own layer first, then those it stands on. */
export type ReadableDisk = { readonly layers: readonly LayerRead[] };

/** The layers of a disk whose files may be read, or why they may not: REFUSED, NOT_FOUND or VERIFY_FAILED. */
export const readableDisk = (
	{ view, found }: FilesSubject,
	disk: string,
): ReadableDisk | Refusal => {
	const status = found !== null && found.backup.marks.removed !== null ? "Removed" : view.status;
	if (status !== "BackedUp" && status !== "Restoring") {
		return refuse(
			"REFUSED",
			`backup ${view.id} of ${view.vm.name} is ${status}: no files to read`,
			{
				status,
				...(status === "Removed" ? { hint: "bring it back with `knib backup undelete`" } : {}),
			},
		);
	}
	if (found === null) {
		return refuse("NOT_FOUND", `no repository of this host holds backup ${view.id}`, {
			hint: "read the repository again with `knib repository rescan`",
		});
	}
	const { offering } = found.backup.manifest;
	if (offering["allowExtractFile"] !== true) {
		return refuse(
			"REFUSED",
			`offering ${offering.name}, under which backup ${view.id} was taken, does not allow files to be read`,
			{
				hint: `\`knib offering update ${offering.name} --allow-extract-file\` allows it for backups taken from then on`,
			},
		);
	}
	const reads = readLayers(found.chain.members, found.backup);
	const layers = reads.disks.find((one) => one.target === disk)?.layers;
	if (layers === undefined) {
		const has = reads.disks.map((one) => one.target).join(", ");
		return refuse("NOT_FOUND", `backup ${view.id} holds no disk ${disk}; it holds ${has}`);
	}
	const problems = [...reads.problems, ...found.layerProblems];
	if (problems.length === 0) return { layers };
	return refuse("VERIFY_FAILED", `backup ${view.id} cannot be read back: ${problems.join("; ")}`, {
		problems,
	});
};
