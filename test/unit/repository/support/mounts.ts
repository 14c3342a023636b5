import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

type Teardown = { teardown: (run: () => void) => void };

/** Whether this process may mount file systems. */
export const mayMount = (): boolean => {
	if (process.getuid?.() !== 0) return false;
	const directory = `/tmp/knib-may-mount-${process.pid}`;
	try {
		mkdirSync(directory, { recursive: true });
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory], {
			stdio: "ignore",
		});
		execFileSync("umount", [directory], { stdio: "ignore" });
		return true;
	} catch {
		return false;
	} finally {
		execFileSync("rmdir", [directory]);
	}
};

/** Mounts a small file system in memory; it goes with the test. */
export const mountTmpfs = (t: Teardown, directory: string, size: string): void => {
	execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory]);
	t.teardown(() => {
		execFileSync("umount", ["-l", directory]);
	});
};

export const remount = (directory: string, how: "ro" | "rw"): void => {
	execFileSync("mount", ["-o", `remount,${how}`, directory]);
};
