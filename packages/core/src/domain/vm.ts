// What libvirt says of a VM, as plain data: the facts that planners read. Nothing here is decided by knib.
import { z } from "zod";

/** States of a libvirt domain that matter here; everything unusual is `other`. */
export type VmState = "running" | "paused" | "shut off" | "crashed" | "other";

/** Where a disk's data lives, from the `type` attribute of libvirt's `<disk>`; `volume` is resolved to file or block by the adapter. */
export type DiskSource = "file" | "block" | "network" | "other";

/** A format that knib reads and writes; anything else is refused, never probed (invariant I9). */
export const diskFormatSchema = z.enum(["qcow2", "raw"]);
export type DiskFormat = z.infer<typeof diskFormatSchema>;

/** One `<disk>` of a VM's definition. */
export type VmDisk = {
	readonly target: string;
	readonly bus: string;
	readonly device: "disk" | "cdrom" | "floppy" | "lun";
	readonly source: DiskSource;
	/** Absolute path of the top image; absent for an empty drive or a source that is no file or block device. */
	readonly path?: string;
	/** As libvirt's `<driver type=…>` says; absent where the definition leaves it out. */
	readonly format?: string;
	readonly readonly: boolean;
	readonly shareable: boolean;
	readonly transient: boolean;
	readonly encrypted: boolean;
	/** Another block job, such as a copy or a commit, holds this disk now. */
	readonly busy: boolean;
};

/** A libvirt snapshot of a VM, as far as it can stand in the way of a merge or a restore. */
export type VmSnapshot = {
	readonly name: string;
	readonly memory: boolean;
	/** Absolute paths of all image files that the snapshot's metadata names. */
	readonly files: readonly string[];
	/** Those of `files` that hold the state of an external snapshot and must stay as they are. */
	readonly frozen: readonly string[];
};

/** A VM as libvirt shows it at one moment. `disks` are those of the running VM, or of the inactive definition when it is off. */
export type Vm = {
	readonly uuid: string;
	readonly name: string;
	readonly state: VmState;
	readonly persistent: boolean;
	/** A managed-save image exists: the VM is neither shut off nor running (SAFETY F3). */
	readonly managedSave: boolean;
	/** Identifies one run of the VM's process, from boot to exit (pid and start time); absent when it is off. */
	readonly run?: string;
	readonly disks: readonly VmDisk[];
	readonly snapshots: readonly VmSnapshot[];
	readonly checkpoints: number;
	/** The definition has a channel for the guest agent. */
	readonly agentChannel: boolean;
	/** Absolute path of the VM's NVRAM file, if it boots by UEFI. */
	readonly nvram?: string;
	/** The definition has an emulated TPM, whose state lies in libvirt's own directory. */
	readonly tpm: boolean;
	/** `<knib:tag>` texts of the definition's metadata. */
	readonly tags: readonly string[];
	readonly memory: number;
	/** The whole definitions with security information; the live one only while the VM runs. */
	readonly xml: { readonly inactive: string; readonly live?: string };
};

/** Every file that some domain of this host names, and where: definitions, backing chains, snapshot metadata, managed-save images. */
export type FileUse = {
	readonly path: string;
	/** Names the file or device itself, whatever the path (see `DiskImages.identity`); null where there is none. */
	readonly file: string | null;
	readonly vm: string;
	/** The disk of the VM that stands on it; absent for what belongs to no disk. */
	readonly target?: string;
	readonly where: "live" | "inactive" | "snapshot" | "managed save" | "backing";
	/** A top image that the domain writes; for `snapshot`: false means that the snapshot's own state lies in this file and dies with a write into it. */
	readonly writable: boolean;
};
