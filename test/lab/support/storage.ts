// Storage that can run full, vanish or be a block device, visible to the lab's libvirtd too.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "./deadline.ts";
import type { Lab } from "./lab.ts";
import { run } from "./run.ts";

const UNMOUNT_DEADLINE_MS = 60_000;

export type Mounted = {
	readonly path: string;
	readonly unmount: () => Promise<void>;
};

export type LoopDevice = {
	readonly device: string;
	readonly detach: () => Promise<void>;
};

/** A file system of its own that is full after so many MiB. O_DIRECT needs kernel 6.6: see cache. */
export async function mountTmpfs(lab: Lab, name: string, sizeMib: number): Promise<Mounted> {
	return mountAt(lab, name, ["-t", "tmpfs", "-o", `size=${sizeMib}m,mode=0755`, "tmpfs"]);
}

/** The directory under another path, to be taken away and mounted again. */
export async function mountDirectory(lab: Lab, name: string, source: string): Promise<Mounted> {
	return mountAt(lab, name, ["--bind", source]);
}

/** Mounts made elsewhere than below this directory may not be seen by the lab's libvirtd. */
async function mountAt(lab: Lab, name: string, args: readonly string[]): Promise<Mounted> {
	const path = join(lab.dir, "mnt", name);
	await mkdir(path, { recursive: true });
	await run(["mount", ...args, path]);
	return {
		path,
		unmount: async () => {
			await unmount(path);
			await rm(path, { recursive: true, force: true });
		},
	};
}

/** Whoever looks at the file system at that instant keeps it busy, so that it is tried until nobody does. */
export async function unmount(path: string): Promise<void> {
	await waitFor(async () => (await run(["umount", path], { reject: false })).exitCode === 0, {
		deadlineMs: UNMOUNT_DEADLINE_MS,
		what: `${path} to be unmounted`,
	});
}

/** A block device of the file's bytes. Files of the lab only: its end detaches them. */
export async function attachLoop(lab: Lab, file: string): Promise<LoopDevice> {
	const device = (await run(["losetup", "--find", "--show", file])).stdout.trim();
	await exposeDevice(lab, device);
	return { device, detach: async () => void (await run(["losetup", "--detach", device])) };
}

/** The lab has a copy of /dev of its own, from when it was started: adds a newer block device. */
export async function exposeDevice(lab: Lab, device: string): Promise<void> {
	const numbers = (await run(["stat", "-L", "-c", "%Hr %Lr", device])).stdout.trim();
	const command = `[ -b "$0" ] || { mkdir -p "\${0%/*}" && mknod "$0" b ${numbers}; }`;
	const { exitCode, stderr } = await lab.enter("sh", "-c", command, device);
	if (exitCode !== 0) throw new Error(`${device} is not in the lab: ${stderr}`);
}
