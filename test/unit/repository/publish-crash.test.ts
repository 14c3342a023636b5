import { execFile } from "node:child_process";
import { access, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Repository } from "@knib/core";
import test from "ava";
import { aChild, aManifest, MANIFEST_VM } from "../../support/builders/manifest.ts";
import {
	aRepository,
	placeFiles,
	publishIn,
	temporaryDirectory,
	within,
} from "./support/directory-harness.ts";

const CHILD = fileURLToPath(new URL("support/publish-child.ts", import.meta.url));

/** Publishes in a process of its own that dies at its `stop`th change of the file system; true when it lived to the end. */
const publishIsolated = (path: string, manifest: string, stop: number): Promise<boolean> =>
	new Promise((resolve, reject) => {
		const args = ["--conditions=source", CHILD, path, manifest, String(stop)];
		execFile(process.execPath, args, (error, _stdout, stderr) => {
			if (error === null) resolve(true);
			else if (error.signal === "SIGKILL") resolve(false);
			else reject(new Error(stderr));
		});
	});

/** A repository with a parent, and its child ready to be published. */
const prepare = async (repository: Repository, directory: string) => {
	const { manifest: parent } = await publishIn(repository, aManifest());
	const child = within(repository, aChild(parent));
	await placeFiles(repository, child);
	const file = join(directory, "manifest.json");
	await writeFile(file, JSON.stringify(child));
	return { parent, child, file };
};

test("publish › killed at any change of the file system leaves the backup whole or not at all, and can be repeated", async (t) => {
	t.timeout(300_000);
	const seen = new Set<number>();
	for (let stop = 1; ; stop += 1) {
		const directory = await temporaryDirectory(t);
		const repository = await aRepository(t);
		const { child, file } = await prepare(repository, directory);
		const lived = await publishIsolated(repository.path, file, stop);
		const [chain] = await repository.chains(MANIFEST_VM);
		t.deepEqual(chain?.problems, [], `stopped at ${stop}`);
		const count = chain?.members.length ?? 0;
		seen.add(count);
		const incoming = join(repository.path, "incoming", child.identity.id);
		const waits = await access(incoming).then(
			() => true,
			() => false,
		);
		t.is(waits, count === 1, `stopped at ${stop}`);
		const published = await repository.publish(child);
		t.deepEqual(published.manifest, child);
		t.deepEqual(await repository.proveLayers(published), []);
		t.deepEqual((await readdir(published.path)).sort(), [
			"SHA256SUMS",
			"domain-inactive.xml",
			"manifest.json",
			"vda.qcow2",
		]);
		if (lived) break;
		t.true(stop < 100);
	}
	t.deepEqual([...seen].sort(), [1, 2]);
});
