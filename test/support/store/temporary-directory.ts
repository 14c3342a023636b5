import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";

/** An empty directory that goes with the test. */
export const temporaryDirectory = async (t: ExecutionContext): Promise<string> => {
	const directory = await mkdtemp(join(tmpdir(), "knib-store-"));
	t.teardown(() => rm(directory, { recursive: true, force: true }));
	return directory;
};
