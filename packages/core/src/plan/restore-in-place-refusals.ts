// The facts of a restore in place, and why it is refused: first the backup, then the VM, then its disks and their storage. Pure.
import type { RestoreInPlaceRequest } from "../api/job-request.ts";
import type { BackupView } from "../api/views.ts";
import type { DiskFormat, FileUse, Vm } from "../domain/vm.ts";
import { refuseBlockJob } from "./block-job.ts";
import type { DiskFacts, OpenChainFacts } from "./facts.ts";
import { type Refusal, refuse } from "./plan.ts";
import { whyNotQuick } from "./quick-disks.ts";
import type { RestoreReads } from "./read-layers.ts";
import type { FoundBackup, QuickFacts } from "./restore-facts.ts";
import { whyNotReadable } from "./restore-refusals.ts";
import type { FileOwner, ImageRef } from "./steps.ts";

/** Where a disk of the backup goes. */
export type DiskPlace = {
	readonly target: string;
	readonly path: string;
	readonly format: DiskFormat;
	/** As in the plan: the images to be set aside, the one in use first. */
	readonly old: readonly ImageRef[];
	/** The saved `<disk>` of a disk that the VM has lost. */
	readonly lost: string | null;
	/** Why it cannot go there, in words. */
	readonly problem: string | null;
};

export type InPlaceFacts = {
	readonly request: RestoreInPlaceRequest;
	/** Names the files of this restore. */
	readonly id: string;
	readonly view: Pick<BackupView, "id" | "vm" | "status">;
	readonly found: FoundBackup | null;
	readonly vm: Vm;
	readonly disks: readonly DiskFacts[];
	readonly places: readonly DiskPlace[];
	readonly open: OpenChainFacts | null;
	/** Uses of the images that would be set aside by anything but this VM. */
	readonly strangers: readonly FileUse[];
	/** Path of the record of what is set aside. */
	readonly record: string;
	/** Records of earlier restores whose old disks are still kept. */
	readonly keptBefore: readonly string[];
	readonly free: number;
	readonly owner: FileOwner;
	readonly parallelDisks: number;
	readonly agentDeadlineMs: number;
	readonly shutdownDeadlineMs: number;
	/** Null for a restore that is not quick. */
	readonly quick: QuickFacts | null;
	/** The VM still runs over layers of an earlier quick restore. */
	readonly consolidating: boolean;
};

type Why = Refusal | undefined;

const ofVm = ({ vm, request, keptBefore, consolidating }: InPlaceFacts): Why => {
	const hint = "restore it beside the VM with `knib restore new`";
	const no = (why: string, what = hint): Refusal =>
		refuse("REFUSED", `VM ${vm.name} ${why}`, { hint: what });
	if (!vm.persistent) return no("is transient: it has no definition to go back to");
	if (vm.managedSave) {
		return no(
			"has a managed-save image, which would resume on the old disks",
			"start the VM and shut it down first",
		);
	}
	if (vm.snapshots.length > 0 || vm.checkpoints > 0) {
		return no("has snapshots or checkpoints, which name its disks", "delete them first");
	}
	if (vm.run !== undefined && !request.shutdown) {
		return no(`is ${vm.state}`, "shut it down, or let --shutdown do it");
	}
	if (consolidating) {
		return no(
			"still stands on layers of an earlier quick restore",
			"wait for its consolidation, or go back with `knib restore undo`",
		);
	}
	if (keptBefore.length > 0) {
		return no(
			"still has old disks of an earlier restore",
			"go back with `knib restore undo`, or delete them with `knib restore confirm`",
		);
	}
	return undefined;
};

const ofDisks = ({ vm, disks, places, strangers, open, found }: InPlaceFacts): Why => {
	const busy = refuseBlockJob(vm.name, disks);
	if (busy !== undefined) return busy;
	const bad = places.find((one) => one.problem !== null);
	if (bad !== undefined) {
		return refuse("REFUSED", `disk ${bad.target} of VM ${vm.name} ${bad.problem}`, {
			hint: "restore it beside the VM with `knib restore new`",
		});
	}
	const [use] = strangers;
	if (use !== undefined) {
		return refuse("REFUSED", `${use.path} is used elsewhere too (${use.where} of ${use.vm})`, {
			hint: "restore it beside the VM with `knib restore new`",
		});
	}
	if (open !== null && found !== null && open.repository.id !== found.repository.id) {
		return refuse("REFUSED", `the VM's open chain is in repository ${open.repository.name}`, {
			hint: `end it first with \`knib chain finish ${vm.name}\``,
		});
	}
	return undefined;
};

/** Why a restore in place is not made; undefined when nothing stands in its way. `needed`: bytes that the new disks may take. */
export const whyNotInPlace = (
	facts: InPlaceFacts,
	reads: RestoreReads | null,
	needed: number,
): Why => {
	const refusal =
		whyNotReadable(facts, reads) ??
		whyNotQuick(facts.view.id, facts.quick) ??
		ofVm(facts) ??
		ofDisks(facts);
	if (refusal !== undefined) return refusal;
	const { free } = facts;
	if (needed <= free) return undefined;
	return refuse(
		"STORAGE_NO_SPACE",
		`the new disks take up to ${needed} bytes beside the old ones, ${free} bytes are free`,
		{ needed, free },
	);
};
