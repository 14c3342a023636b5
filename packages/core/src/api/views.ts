// The shapes that scripts rely on: what `--json` prints (CLI.md). Fields may be added, never renamed. Sizes are bytes, times
// ISO 8601 UTC, durations milliseconds.
import type { Proof } from "../domain/chain.ts";
import type { Job, Progress } from "../domain/job.ts";
import type { BackupKind, SkippedDisk } from "../domain/manifest.ts";
import type { RestorePromise } from "../domain/validation.ts";
import type { BlockedAction } from "../plan/admission.ts";

export type VmView = {
	readonly uuid: string;
	readonly name: string;
	readonly host: string;
	readonly state: string;
	/** Name of its offering. */
	readonly offering: string;
	readonly disks: readonly {
		target: string;
		path: string | null;
		format: string | null;
		virtualSize: number | null;
		skipped: string | null;
	}[];
	/** Id of its open chain. */
	readonly chain: string | null;
	readonly lastBackup: { readonly id: string; readonly at: string } | null;
	readonly lastProof: {
		readonly level: string;
		readonly at: string;
		readonly backup: string;
	} | null;
	/** Reasons in words; empty when nothing is wrong. */
	readonly atRisk: readonly string[];
	/** For instance `extra layer present`, with the disks it concerns. */
	readonly notes: readonly string[];
	/** The host's id, when it is another one than the one that answers. */
	readonly hostId?: string | undefined;
	/** When its host was last reached, while it is not; null or absent: this is how it is now. */
	readonly asOf?: string | null | undefined;
	/** How fast it came back in its last validations: ms until its agent and its command answered, and the rate of consolidation. */
	readonly promise: RestorePromise | null;
};

/** The VMs of all hosts; what could not be looked at is shown as it was last seen, and a warning says so. */
export type VmInventory = { readonly vms: readonly VmView[]; readonly warnings: readonly string[] };

/** Disks of a VM that a restore in place has set aside: the old ones, or the restored ones once it was undone. */
export type KeptDisks = {
	readonly restore: string;
	readonly disks: "old" | "restored";
	readonly backup: string;
	readonly at: string;
};

export type BackupStatus =
	| "Queued"
	| "BackingUp"
	| "BackedUp"
	| "Unconfirmed"
	| "Failed"
	| "Restoring"
	| "Removed"
	| "Expunged";

export type BackupView = {
	readonly id: string;
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly host: string;
	readonly chain: string | null;
	readonly sequence: number | null;
	readonly parent: string | null;
	readonly kind: BackupKind | null;
	readonly reason: string;
	readonly status: BackupStatus;
	readonly compressionStatus: string;
	readonly validationStatus: string;
	readonly proof: readonly Proof[];
	readonly createdAt: string;
	readonly pointInTime: string | null;
	readonly consistency: string | null;
	readonly labels: readonly string[];
	readonly pinned: boolean;
	readonly size: number;
	readonly uncompressedSize: number;
	readonly virtualSize: number;
	/** Name of its repository. */
	readonly repository: string | null;
	/** Absolute path of the published directory on this host. */
	readonly path: string | null;
	readonly offering: string | null;
	readonly disks: readonly {
		readonly target: string;
		readonly layer: string;
		readonly size: number;
		readonly virtualSize: number;
		readonly parentLayer: string | null;
		readonly sha256: string;
	}[];
	readonly skipped: readonly SkippedDisk[];
	readonly validation: readonly Record<string, unknown>[];
	/** Why it is not valid or could not be validated. */
	readonly validationMessage?: string | null | undefined;
	/** The last validation that came to a result: times are ms from the VM's start. */
	readonly validated?:
		| {
				readonly at: string;
				readonly host: string;
				readonly agentMs: number | null;
				readonly answerMs: number | null;
				readonly screenshot: boolean;
		  }
		| null
		| undefined;
	readonly error: { readonly code: string; readonly message: string } | null;
	readonly warnings: readonly string[];
};

/** A backup as long lists show it: a tenth of the whole view. */
export type BackupBrief = Pick<
	BackupView,
	| "id"
	| "vm"
	| "host"
	| "chain"
	| "parent"
	| "kind"
	| "status"
	| "compressionStatus"
	| "validationStatus"
	| "createdAt"
	| "pointInTime"
	| "labels"
	| "pinned"
	| "size"
> & {
	/** Its highest proof. */
	readonly proof: { readonly level: Proof["level"]; readonly at: string } | null;
};

/** Part of a long list. */
export type BackupPage = {
	/** Newest first. */
	readonly backups: readonly BackupBrief[];
	/** What to ask with for the older ones; null at the end. */
	readonly next: string | null;
};

export type ChainView = {
	readonly id: string;
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly repository: string;
	readonly state: "open" | "ended";
	readonly endReason: string | null;
	/** Ids, oldest first. */
	readonly backups: readonly string[];
	readonly size: number;
	readonly problems: readonly string[];
};

/** A backup or chain together with what cannot be done with it now, and why (I8). */
export type BackupShown = BackupView & { readonly blocked: readonly BlockedAction[] };
export type ChainShown = ChainView & { readonly blocked: readonly BlockedAction[] };

/** A job's own fields; `Omit` would lose them to the index signature of a loose schema. */
type JobFields = { readonly [K in keyof Job as string extends K ? never : K]: Job[K] };
export type JobView = Omit<JobFields, "request"> & { readonly progress: Progress | null };

export type RepositoryView = {
	readonly id: string;
	readonly name: string;
	readonly path: string;
	readonly state: "ready" | "read-only" | "unreachable" | "invalid";
	readonly message: string | null;
	readonly default: boolean;
	readonly capacity: number;
	readonly free: number;
	readonly backups: number;
	readonly chains: number;
};

export type SettingView = {
	readonly name: string;
	readonly value: string | number | boolean;
	readonly unit: string | null;
	readonly scope: string;
	/** Where the value comes from: `default`, or the scope that sets it. */
	readonly source: string;
};

/** What a dry run prints: what would happen and why. */
export type PlanView = {
	readonly type: string;
	readonly reason: string;
	readonly explain: readonly string[];
	readonly warnings: readonly string[];
	readonly steps: readonly { readonly kind: string; readonly text: string }[];
	/** Of a restore: bytes that it writes before the VM can start; absent where nothing is copied. */
	readonly bytes?: number | undefined;
};

/** One line of a job's log. */
export type JobLogLine = {
	readonly at: string;
	readonly level: "info" | "warn" | "error";
	readonly text: string;
};

/** What a watcher of a job gets: the state first, then what changes; `end` is last. */
export type JobEvent =
	| { readonly type: "job"; readonly job: JobView }
	| {
			readonly type: "progress";
			readonly job: string;
			readonly phase: Job["phase"];
			readonly progress: Progress;
	  }
	| { readonly type: "log"; readonly job: string; readonly line: JobLogLine }
	| { readonly type: "end"; readonly job: JobView };
