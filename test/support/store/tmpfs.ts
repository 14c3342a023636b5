import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ExecutionContext } from "ava";
import { temporaryDirectory } from "./temporary-directory.ts";

const run = promisify(execFile);

/** A file system in memory that is soon full; needs root. */
export interface Tmpfs {
	readonly path: string;
	/** Changes its size, given as mount(8) takes it, such as `16m`. */
	resize(size: string): Promise<void>;
}

/** Mounts one of a size such as `3m`; it is unmounted when the test ends. */
export const mountTmpfs = async (t: ExecutionContext, size: string): Promise<Tmpfs> => {
	const path = await temporaryDirectory(t);
	await run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "knib-test", path]);
	t.teardown(() => run("umount", ["--lazy", path]));
	return {
		path,
		resize: async (to) => {
			await run("mount", ["-o", `remount,size=${to}`, path]);
		},
	};
};
