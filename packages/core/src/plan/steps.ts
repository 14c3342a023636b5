// The steps of jobs as data. What each one holds, what may vanish under it and what a crash leaves is in docs/spec/steps.md;
// how each is carried out is in the daemon's executors, one exhaustive table from kind to function.
import type { FileFacts } from "../domain/image.ts";
import type { TrackedFiles } from "../domain/manifest.ts";
import type { DiskFormat } from "../domain/vm.ts";
import type { ServiceStep } from "./service-steps.ts";

/** An image by absolute path and format; formats are never probed. */
export type ImageRef = { readonly path: string; readonly format: DiskFormat };

/** A new overlay that is to collect a disk's writes. */
export type OverlayPlan = {
	readonly target: string;
	readonly base: ImageRef;
	/** Absolute path of the file to make. */
	readonly overlay: string;
	/** Exact virtual size of the disk, bytes. */
	readonly size: number;
};

/** What is copied for one disk. */
export type LayerPlan = {
	readonly target: string;
	readonly virtualSize: number;
	/** `whole`: the top image with all below it, flattened. `increment`: each image of the list, bottom first, collapsed into one. */
	readonly mode: "whole" | "increment";
	readonly images: readonly ImageRef[];
	/** Directory name of the parent in the chain; only with `increment`. */
	readonly parent: string | null;
	/** Allocated bytes of the images: what progress is measured against. */
	readonly bytes: number;
	/** The VM's own image is qcow2 version 2, so that zlib is the library whatever was asked for; absent for any other. */
	readonly source?: "qcow2 version 2";
};

/** The library with which the copy itself compresses a layer; null where it does not. Several images collapsed into one are not. */
export const layerLibrary = (
	layer: Pick<LayerPlan, "source" | "images">,
	asked: "zstd" | "zlib" | null,
): "zstd" | "zlib" | null => {
	if (layer.images.length > 1) return null;
	return asked === "zstd" && layer.source !== undefined ? "zlib" : asked;
};

/** Overlays that are merged into the image below them and then retired (I11). */
export type MergePlan = {
	readonly target: string;
	/** The image that takes the data. */
	readonly base: ImageRef;
	/** The highest overlay of the run. */
	readonly top: string;
	/** All overlays of the run, highest first: what is retired afterwards. */
	readonly overlays: readonly string[];
	/** The base as the tracker recorded it; null where it recorded nothing, or where the user asked for the merge. */
	readonly recorded: FileFacts | null;
};

/** The overlay of a disk that has left its VM, to be merged into the file below it. */
export type DetachedPlan = {
	readonly target: string;
	readonly overlay: TrackedFiles["overlay"];
	/** The file below as the tracker recorded it. */
	readonly base: FileFacts;
};

/** One disk of a restore: the layers of a backup flattened into a new file. */
export type RestoreDiskPlan = {
	readonly target: string;
	/** Absolute path of the backup's layer. */
	readonly layer: string;
	/** Absolute path of the file to make. */
	readonly path: string;
	readonly format: DiskFormat;
	readonly virtualSize: number;
	readonly bytes: number;
};

/** One disk of a quick restore: an empty overlay over the repository's layers. */
export type QuickDiskPlan = {
	readonly target: string;
	/** Absolute path of the overlay to make. */
	readonly path: string;
	/** The path that it has once the restore is done. */
	readonly place: string;
	/** Absolute paths of the layers, the backup's own first. */
	readonly layers: readonly string[];
	readonly virtualSize: number;
	readonly bytes: number;
	/** `error_policy` and `rerror_policy` of the disk's driver once it stands on itself; null: libvirt's default. */
	readonly policies: DiskPolicies;
};

export type DiskPolicies = { readonly write: string | null; readonly read: string | null };

/** The steps of a quick restore and of what follows it. */
export type QuickStep =
	| {
			readonly kind: "make-quick-disks";
			/** Names the restore to which the disks belong; null: the job's own id does. */
			readonly id: string | null;
			readonly disks: readonly QuickDiskPlan[];
			readonly owner: FileOwner;
	  }
	| {
			readonly kind: "attach-disk";
			readonly target: string;
			readonly path: string;
			/** The whole `<disk>`. */
			readonly xml: string;
	  }
	| {
			readonly kind: "pull-layers";
			readonly record: string;
			/** Bytes per second for each disk, 0 = no limit. */
			readonly rate: number;
	  };

/** Owner and mode that new files beside disks get, so that qemu can open them (SAFETY F12). */
export type FileOwner = {
	readonly uid: number;
	readonly gid: number;
	readonly mode: number;
	/** An image whose ACL they get too. */
	readonly like?: string;
};

/** One disk of a restore in place. */
export type SwitchDiskPlan = {
	readonly target: string;
	/** The path that the new disk takes: that of the disk's own base image, or a new one for a disk that the VM has lost. */
	readonly path: string;
	readonly format: DiskFormat;
	/** Where the new disk was written. */
	readonly staged: string;
	/** The old images that are set aside, the one in use first, the disk's own base image last; empty for a lost disk. */
	readonly old: readonly ImageRef[];
	/** The `<disk>` of the saved definition, for a disk that the VM has lost. */
	readonly lost: string | null;
	/** Layers of the repository that the new disk stands on; absent for one that stands on itself. */
	readonly layers?: readonly string[];
};

/** The steps of a restore in place beside those of a restore as a new VM, and those of what follows it. */
export type RestoreInPlaceStep =
	| { readonly kind: "shut-down"; readonly deadlineMs: number }
	| {
			readonly kind: "switch-disks";
			/** Names the files set aside: `*.knib-old-<id>`. */
			readonly id: string;
			readonly record: string;
			readonly disks: readonly SwitchDiskPlan[];
	  }
	| { readonly kind: "undo-restore"; readonly record: string }
	| { readonly kind: "drop-old"; readonly record: string };

export type Step =
	| ServiceStep
	| ValidationStepPlan
	| { readonly kind: "lease" }
	| { readonly kind: "make-overlays"; readonly disks: readonly OverlayPlan[] }
	| {
			readonly kind: "switch-overlays";
			readonly disks: readonly OverlayPlan[];
			readonly quiesce: boolean;
	  }
	| {
			readonly kind: "copy-layers";
			readonly layers: readonly LayerPlan[];
			/** Disks copied at a time. */
			readonly parallel: number;
			/** Bytes per second for each disk, 0 = no limit. */
			readonly rate: number;
			readonly compression: "zstd" | "zlib" | null;
	  }
	| { readonly kind: "check-layers"; readonly layers: readonly LayerPlan[] }
	| { readonly kind: "save-machine" }
	| { readonly kind: "publish" }
	| { readonly kind: "confirm" }
	| { readonly kind: "end-chain"; readonly chain: string; readonly reason: string }
	| { readonly kind: "merge-overlays"; readonly merges: readonly MergePlan[] }
	| { readonly kind: "merge-detached"; readonly disks: readonly DetachedPlan[] }
	| { readonly kind: "record-tracker"; readonly chain: string }
	| { readonly kind: "hold" }
	| { readonly kind: "verify-layers" }
	| {
			readonly kind: "copy-disks";
			readonly disks: readonly RestoreDiskPlan[];
			/** Disks copied at a time. */
			readonly parallel: number;
			readonly owner: FileOwner;
	  }
	| { readonly kind: "fetch-files" }
	| { readonly kind: "place-files" }
	| { readonly kind: "check-disks"; readonly disks: readonly RestoreDiskPlan[] }
	| { readonly kind: "define-vm" }
	| RestoreInPlaceStep
	| QuickStep
	| {
			readonly kind: "start-vm";
			/** How long the guest agent is waited for, ms. */
			readonly agentDeadlineMs: number;
	  };

export type StepKind = Step["kind"];

/** One layer whose digest is proven. */
export type DigestPlan = {
	/** Absolute path of the file. */
	readonly path: string;
	readonly target: string;
	/** Id of the backup that it belongs to. */
	readonly backup: string;
	readonly size: number;
	readonly sha256: string;
};

/** One disk of a throw-away VM. */
export type ValidationDiskPlan = {
	readonly target: string;
	/** Absolute path of the backup's layer, which is only read. */
	readonly layer: string;
	/** Absolute path of the overlay to make. */
	readonly overlay: string;
	readonly size: number;
};

/** The command that a validation runs in the guest. */
export type GuestCommandPlan = {
	readonly path: string;
	readonly args: readonly string[];
	/** `0`, or base64 of the exact output. */
	readonly expected: string;
	readonly timeoutMs: number;
};

type CopyPlan = { readonly from: string; readonly to: string };

/** The steps of a validation beside `hold`. */
export type ValidationStepPlan =
	| { readonly kind: "report-obstacles"; readonly obstacles: readonly string[] }
	| { readonly kind: "begin-validation" }
	| {
			readonly kind: "verify-digests";
			readonly layers: readonly DigestPlan[];
			/** What is known to be wrong before a byte is read, in words. */
			readonly problems: readonly string[];
	  }
	| {
			readonly kind: "make-validation-disks";
			readonly directory: string;
			readonly owner: FileOwner;
			readonly disks: readonly ValidationDiskPlan[];
			readonly nvram: CopyPlan | null;
			readonly tpm: CopyPlan | null;
	  }
	| {
			readonly kind: "boot-validation-vm";
			readonly uuid: string;
			readonly xml: string;
			readonly fallbackXml: string | null;
			readonly accelerator: "kvm" | "qemu";
			/** The longest that the VM may live, ms. */
			readonly lifeMs: number;
	  }
	| { readonly kind: "wait-for-boot"; readonly timeoutMs: number }
	| { readonly kind: "take-screenshot"; readonly waitMs: number }
	| {
			readonly kind: "run-command";
			readonly command: GuestCommandPlan | null;
			readonly bootTimeoutMs: number;
	  }
	| { readonly kind: "tear-down" }
	| { readonly kind: "record-validation" };

/** Steps that stand after the point of no return: what they do is repeated until it succeeds, never undone. */
export const AFTER_PUBLICATION: ReadonlySet<StepKind> = new Set<StepKind>([
	"confirm",
	"end-chain",
	"merge-overlays",
	"merge-detached",
	"record-tracker",
	"start-vm",
]);

/** Steps from whose beginning on a job goes forward: what they do is seen by others, is only half done by a crash, or takes nothing but time to be done again. */
export const POINTS_OF_NO_RETURN: ReadonlySet<StepKind> = new Set<StepKind>([
	"publish",
	"switch-layers",
	"mark-removed",
	"switch-folded",
	"trash-backups",
	"verify-chains",
	"switch-disks",
	"undo-restore",
	"drop-old",
	// A disk that the guest has seen is not torn out of it.
	"attach-disk",
	// A VM that may run has a state of its own, which nothing can bring back.
	"start-vm",
	"place-files",
]);

/** Steps that change no VM and none of its files: a job that came no further, and was taken back, may be begun anew as if it never had been. */
export const CHANGES_NO_VM: ReadonlySet<StepKind> = new Set<StepKind>([
	"lease",
	"hold",
	"verify-layers",
	"make-overlays",
]);
