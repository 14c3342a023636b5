import type { BackupMarks } from "../domain/chain.ts";
import type { BackupKind, Consistency, SkippedDisk } from "../domain/manifest.ts";
import type { ErrorCode, ErrorDetails } from "../errors.ts";
import type { ExtractPlan } from "./plan-extract.ts";
import type { ServicePlan, VerifyPlan } from "./service-plans.ts";
import type { Step } from "./steps.ts";

/** Why a request cannot be planned: a value, not an exception (DESIGN 4). Nothing has been touched. */
export type Refusal = {
	readonly refused: true;
	readonly code: ErrorCode;
	readonly message: string;
	readonly details: ErrorDetails;
};

/** What all plans have. */
export type PlanBase = {
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly repository: { readonly id: string; readonly name: string };
	/** Why it is done this way, in one line (I7). */
	readonly reason: string;
	/** The reasoning, line by line, for `--dry-run` and the job's log. */
	readonly explain: readonly string[];
	readonly warnings: readonly string[];
	readonly steps: readonly Step[];
};

/** A backup, decided: everything its executors need that was known before it began. */
export type BackupPlan = PlanBase & {
	readonly type: "Backup";
	readonly backup: string;
	readonly kind: BackupKind;
	readonly chain: string;
	readonly sequence: number;
	/** Newest backups of the VM's open chains in the repository when the plan was made: others mean that another host was there since. Absent in plans of earlier versions. */
	readonly openTips?: readonly string[] | undefined;
	/** The newest member of the chain; its directory is the base of increments. */
	readonly parent: { readonly id: string; readonly identityDigest: string } | null;
	readonly vmState: string;
	readonly createdAt: string;
	readonly nonce: string;
	readonly consistency: Consistency;
	readonly offering: { readonly id: string; readonly name: string } & Readonly<
		Record<string, unknown>
	>;
	readonly labels: readonly string[];
	readonly skipped: readonly SkippedDisk[];
	/** Why the chain ends with this backup; null when it stays open. */
	readonly endsChain: string | null;
	/** Targets that keep an overlay afterwards, so that the next backup can be an increment. */
	readonly tracked: boolean;
};

/** Closing a chain by hand: overlays merged down, the chain ended. */
export type FinishPlan = PlanBase & { readonly type: "FinishChain"; readonly chain: string | null };

/** Layers merged that an earlier job had to leave; the chain goes on. */
export type MergeOverlaysPlan = PlanBase & {
	readonly type: "MergeOverlays";
	readonly chain: string | null;
};

/** A backup brought back as a VM of its own, or over the disks of its VM. `vm` is the one that was backed up: it says where the repository keeps the chain. */
export type RestorePlan = PlanBase & {
	readonly type: "Restore";
	/** `disk`: one disk as a new one of the VM `uuid`; `in-place`: over the VM's own disks; `undo` and `confirm` put back or delete what that has set aside. */
	readonly mode: "new" | "disk" | "in-place" | "undo" | "confirm";
	readonly backup: string;
	readonly chain: string;
	/** Directories of the backup and its ancestors, oldest first. */
	readonly ancestry: readonly string[];
	/** The new VM's definition, complete. */
	readonly xml: string;
	readonly uuid: string;
	readonly name: string;
	/** NVRAM to be copied: from the backup's directory to its new path. */
	readonly nvram: { readonly from: string; readonly to: string } | null;
	/** Directory of the TPM's state to be copied, likewise. */
	readonly tpm: { readonly from: string; readonly to: string } | null;
	readonly disks: readonly { readonly target: string; readonly path: string }[];
	/** The disks stand on the repository's layers when it ends: a consolidation follows. */
	readonly quick: boolean;
};

/** The layers that a quick restore has left in the repository pulled into the disks of the VM that runs over them. */
export type ConsolidatePlan = PlanBase & {
	readonly type: "Consolidate";
	readonly backup: string;
	readonly chain: string;
	/** Uuid of the VM that was backed up. */
	readonly source: string;
};

/** A backup proven: its layers hashed, and a throw-away VM started over them. `vm` is the one that was backed up. */
export type ValidationPlan = PlanBase & {
	readonly type: "BackupValidation";
	readonly backup: string;
	readonly chain: string;
	readonly mode: "boot" | "digest";
	/** When it was decided: names the directory of its report. */
	readonly at: string;
	/** The throw-away VM, and the directory of its files. */
	readonly uuid: string;
	readonly name: string;
	readonly directory: string;
	/** The mark as it was before. */
	readonly before: BackupMarks["validation"];
	readonly endChainOnFail: boolean;
	/** What the throw-away VM has not, in words. */
	readonly dropped: readonly string[];
};

export type Plan =
	| BackupPlan
	| ExtractPlan
	| FinishPlan
	| MergeOverlaysPlan
	| RestorePlan
	| ConsolidatePlan
	| ValidationPlan
	| ServicePlan
	| VerifyPlan;

/** A disk goes to another VM than the one that was backed up. */
const changedVm = (plan: Plan): PlanBase["vm"] =>
	plan.type === "Restore" && plan.mode === "disk" ? { uuid: plan.uuid, name: plan.name } : plan.vm;

/** The VM that a plan is about; null for one that is about a whole repository. */
export const vmOfPlan = (plan: Plan): PlanBase["vm"] | null =>
	plan.type === "VerifyRepository" && plan.chain === null ? null : changedVm(plan);

/** The backup that a plan is about; null for one that is about a chain or more. */
export const backupOfPlan = (plan: Plan): string | null => ("backup" in plan ? plan.backup : null);

/** The lane of jobs that write files into a directory: it changes no VM. */
export const laneOfDirectory = (directory: string): string => `files:${directory}`;

/** The lane in which a plan's job has its turn: that of its VM, of the repository that it re-reads, or of the directory that it fills. */
export const laneOfPlan = (plan: Plan): string => {
	if (plan.type === "ExtractFiles") return laneOfDirectory(plan.directory);
	return plan.type === "VerifyRepository" ? `verify:${plan.repository.id}` : changedVm(plan).uuid;
};

export const refuse = (code: ErrorCode, message: string, details: ErrorDetails = {}): Refusal => ({
	refused: true,
	code,
	message,
	details,
});

export const isRefusal = (value: object): value is Refusal => "refused" in value;
