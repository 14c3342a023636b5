// Files that were retired (I11): renamed aside, and unlinked when their grace period has passed and nothing has asked for them.

import type { DiskImages, Hypervisor } from "@knib/core";
import { asKnibError, isOverlayName, isUseOf } from "@knib/core";

/** Ending of a file that waits for its grace period to pass. */
export const GONE = ".knib-gone";

/** The grace period, ms: long enough for a call of libvirt's that was in flight to fail on the renamed file rather than lose its data. */
const GRACE_MS = 5_000;

/** Retired files of this host. */
export interface GoneFiles {
	/** Takes a retired file on; it is unlinked after the grace period. */
	add(path: string): void;
	/** Takes on what an earlier life of the daemon left beside the disks of this host's VMs. */
	findAll(): Promise<void>;
	/** Forgets the timers; the files are found again at the next start. */
	stop(): void;
}

type Deps = {
	/** Where overlays of block devices lie. */
	readonly scratch: string;
	readonly hypervisor: Hypervisor;
	readonly images: DiskImages;
	readonly onProblem: (error: unknown) => void;
};

const isRetired = (path: string): boolean =>
	path.endsWith(GONE) && isOverlayName(path.slice(0, -GONE.length));

const oneDiskOfEachFolder = async (hypervisor: Hypervisor): Promise<readonly string[]> => {
	const vms = await Promise.all((await hypervisor.list()).map(({ uuid }) => hypervisor.vm(uuid)));
	const paths = vms
		.flatMap((vm) => vm?.disks ?? [])
		.flatMap((disk) => (disk.source === "file" && disk.path !== undefined ? [disk.path] : []));
	const folders = new Map(paths.map((path) => [path.slice(0, path.lastIndexOf("/")), path]));
	return [...folders.values()];
};

export const createGoneFiles = (deps: Deps): GoneFiles => {
	const timers = new Map<string, NodeJS.Timeout>();
	const unlinkNow = async (path: string): Promise<void> => {
		timers.delete(path);
		if (!isRetired(path) || !(await deps.images.exists(path))) return;
		const uses = await deps.hypervisor.fileUses();
		const file = await deps.images.identity(path);
		const before = path.slice(0, -GONE.length);
		if (uses.some((use) => isUseOf(use, path, file) || use.path === before)) return;
		await deps.images.unlink(path);
	};
	const add = (path: string): void => {
		if (timers.has(path)) return;
		const timer = setTimeout(() => {
			unlinkNow(path).catch(deps.onProblem);
		}, GRACE_MS);
		timer.unref();
		timers.set(path, timer);
	};
	return {
		add,
		findAll: async () => {
			const disks = await oneDiskOfEachFolder(deps.hypervisor);
			for (const path of [...disks, `${deps.scratch}/any`]) {
				const found = await deps.images.imagesBeside(path).catch((error: unknown) => {
					deps.onProblem(asKnibError(error));
					return [];
				});
				for (const one of found) if (isRetired(one.path)) add(one.path);
			}
		},
		stop: () => {
			for (const timer of timers.values()) clearTimeout(timer);
			timers.clear();
		},
	};
};
