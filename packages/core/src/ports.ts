// The ports: what knib needs of the world, as interfaces that have a real and an in-memory implementation with one contract
// suite over both. Paths are absolute; sizes are bytes; durations are milliseconds. Every method rejects with a KnibError;
// an answer that could not be read is a rejection, never an empty answer (I10).
import type {} from "./abort-signal.ts";
import type { Extent, FileFacts, ImageInfo } from "./domain/image.ts";
import type { FileUse, Vm, VmState } from "./domain/vm.ts";

/** Options of an operation that may take long: cancelled by the signal, reported through `onProgress`. */
export type LongOperation = {
	readonly signal?: AbortSignal;
	/** Fraction done, 0 to 1. */
	readonly onProgress?: (fraction: number) => void;
};

/** Wall clock and monotonic clock. */
export interface Clock {
	/** Now as ISO 8601 UTC with milliseconds. */
	now(): string;
	/** Milliseconds of a clock that never jumps. */
	monotonic(): number;
	/** Resolves after `ms`, or rejects with CANCELLED when the signal fires first. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Source of ids and nonces. */
export interface IdSource {
	uuid(): string;
	/** `bytes` random bytes in hex. */
	random(bytes: number): string;
}

/** An answer of the guest agent's `guest-exec`. */
export type GuestExec = {
	readonly exitCode: number | null;
	readonly signal: number | null;
	readonly stdout: Uint8Array;
	readonly stderr: Uint8Array;
	readonly truncated: boolean;
};

/** libvirt on this host. VMs are addressed by uuid. Rejects with LIBVIRT_UNREACHABLE, VM_NOT_FOUND, COMMAND_FAILED, DEADLINE, CANCELLED. */
export interface Hypervisor {
	versions(): Promise<{ libvirt: string; qemu: string }>;
	/** All VMs of this host, running or not. */
	list(): Promise<readonly { uuid: string; name: string; state: VmState }[]>;
	/** One VM by uuid or exact name; undefined when libvirt says there is none. */
	vm(idOrName: string): Promise<Vm | undefined>;
	/** Every file that any VM of this host names (SAFETY F2). */
	fileUses(): Promise<readonly FileUse[]>;
	/** libvirt's networks on this host, active or not. Absent where it cannot be asked: then it is unknown which there are, not none. */
	networks?(): Promise<readonly { name: string; active: boolean }[]>;
	/** Returns once no earlier call of a vanished client is in flight on this VM (SAFETY F6). */
	settle(uuid: string): Promise<void>;
	/** One atomic disk-only, no-metadata snapshot onto overlays that exist (`--reuse-external`), running, paused or shut off. */
	switchToOverlays(
		uuid: string,
		overlays: readonly { target: string; path: string }[],
	): Promise<void>;
	/** Merges the images above `base`, up to and with `top`, into `base`. With the active layer as `top` the VM pivots to `base`.
	 * On a VM that is off it holds qemu's write lock until the new definition is read back. Repeatable after a crash. */
	commit(
		uuid: string,
		disk: { target: string; base: string; top: string },
		options?: LongOperation,
	): Promise<void>;
	/** Ends a block job that an earlier client left on a disk: pivots when it is ready and `pivot`, else aborts. No job: nothing. */
	endBlockJob(uuid: string, target: string, how: "pivot" | "abort"): Promise<void>;
	/** Pulls everything below the active layer into it (`blockpull`). `rate` in bytes per second, 0 = none. */
	pull(uuid: string, target: string, rate: number, options?: LongOperation): Promise<void>;
	/** True when the VM is paused because a disk could not be read or written. Absent where it cannot be asked. */
	stoppedByDisk?(uuid: string): Promise<boolean>;
	define(xml: string): Promise<void>;
	/** Removes the definition with its snapshot and checkpoint metadata; keeps NVRAM and disks unless `nvram`. */
	undefine(uuid: string, options?: { nvram?: boolean }): Promise<void>;
	/** Starts a transient VM from a definition. */
	create(xml: string): Promise<void>;
	start(uuid: string): Promise<void>;
	/** Asks the guest to shut down and waits until it is off. */
	shutdown(uuid: string, deadlineMs: number): Promise<void>;
	destroy(uuid: string): Promise<void>;
	suspend(uuid: string): Promise<void>;
	resume(uuid: string): Promise<void>;
	/** Attaches a disk or another device: live when the VM runs, and to the inactive definition. */
	attach(uuid: string, deviceXml: string): Promise<void>;
	/** PNG of the console. */
	screenshot(uuid: string): Promise<Uint8Array>;
	/** True when the agent answers `guest-sync` with the id sent within the deadline. */
	agentSync(uuid: string, deadlineMs: number): Promise<boolean>;
	/** Number of file systems frozen. Rejects with AGENT_SILENT. */
	freeze(uuid: string): Promise<number>;
	/** Number of file systems thawed. */
	thaw(uuid: string): Promise<number>;
	guestExec(
		uuid: string,
		command: { path: string; args: readonly string[]; deadlineMs: number; maximumOutput: number },
		signal?: AbortSignal,
	): Promise<GuestExec>;
}

/** qemu-img and the file facts that only the kernel knows. Formats are always given, never probed (I9). */
export interface DiskImages {
	info(path: string, format: string): Promise<ImageInfo>;
	/** The image and everything below it, top first. Rejects with DISK_UNSUPPORTED on a backing name that is not a plain path or a format missing from a header. */
	chain(path: string, format: string): Promise<readonly ImageInfo[]>;
	facts(path: string): Promise<FileFacts>;
	/** Names the file or device that a path leads to now: the same for hard links, symbolic links and all nodes of one device, for as long as the host is up. Null when there is none. */
	identity(path: string): Promise<string | null>;
	/** A new empty qcow2 over `backing` with exactly `size` bytes, with sub-clusters where qemu can and `subclusters` is not false; owner, mode, ACL and label taken from `like` (SAFETY F12). Refuses to overwrite. */
	createOverlay(overlay: {
		path: string;
		backing: string;
		backingFormat: string;
		size: number;
		like?: string;
		subclusters?: boolean;
	}): Promise<void>;
	/** Gives a file the POSIX ACL of another that has more than its mode says; nothing where the file system knows none (SAFETY F12). Repeatable. */
	copyAcl(from: string, to: string): Promise<void>;
	/** Copies `source` (with all below it) into a new qcow2 or raw file. With `backing` only what `source` itself holds is copied (convert -B: the top image only, SAFETY F1). Refuses to overwrite. */
	convert(
		job: {
			source: { path: string; format: string };
			target: {
				path: string;
				format: "qcow2" | "raw";
				extendedL2?: boolean;
				compression?: "zstd" | "zlib";
			};
			backing?: { path: string; format: string };
			/** Bytes per second; 0 or absent: no limit. */
			rate?: number;
			coroutines?: number;
		},
		options?: LongOperation,
	): Promise<void>;
	/** Merges a qcow2 that nobody uses into its backing file (`qemu-img commit -d`): a file of our own in a repository, or an overlay that no definition names. */
	commitFile(path: string): Promise<void>;
	/** Allocation of an image; `topOnly` leaves out what lies below it. */
	map(path: string, format: string): Promise<readonly Extent[]>;
	/** Compares what the guest would read. `topOnly` reads both without their backing files. */
	compare(
		a: { path: string; format: string },
		b: { path: string; format: string },
		options?: LongOperation & { topOnly?: boolean },
	): Promise<{ identical: boolean; message: string }>;
	/** `qemu-img check`; false with its text when the image has errors or leaks. */
	check(path: string): Promise<{ ok: boolean; message: string }>;
	/** Changes the backing file's name in the header and nothing else. */
	rebaseUnsafe(path: string, backing: { path: string; format: string }): Promise<void>;
	/** Grows a disk image that nobody uses. */
	resize(path: string, format: string, size: number): Promise<void>;
	/** True when the image could just be opened for writing under qemu's image lock: nobody uses it (I11). */
	writable(path: string, format: string): Promise<boolean>;
	/** All qcow2 images in the directory of `path`, with what each stands on by its header (absolute; null for none): finds clones that no definition names. */
	imagesBeside(path: string): Promise<readonly { path: string; backing: string | null }[]>;
	/** Bytes free for a new file in a directory, and whether it can be written. */
	space(directory: string): Promise<{ free: number; capacity: number; writable: boolean }>;
	/** fsync of a file and of its directory. */
	sync(path: string): Promise<void>;
	/** SHA-256 of a whole file and its apparent and allocated size. `rate` in bytes per second, 0 or absent: no limit. */
	hash(
		path: string,
		options?: LongOperation & { readonly rate?: number },
	): Promise<{ sha256: string; size: number; allocated: number; headerDigest: string }>;
	exists(path: string): Promise<boolean>;
	rename(from: string, to: string): Promise<void>;
	unlink(path: string): Promise<void>;
}
