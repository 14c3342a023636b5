import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import anyTest, { type ExecutionContext } from "ava";
import { createRepository } from "../../../apps/host-daemon/src/repository/create-repository.ts";
import { openRepository } from "../../../apps/host-daemon/src/repository/open-repository.ts";
import { rejectsWith } from "../../contracts/repository-contract.ts";
import { aChild, aManifest, MANIFEST_CHAIN, MANIFEST_VM } from "../../support/builders/manifest.ts";
import {
	openOptions,
	placeFiles,
	publishIn,
	temporaryDirectory,
	within,
} from "./support/directory-harness.ts";
import { mayMount, mountTmpfs, remount } from "./support/mounts.ts";

const test = mayMount() ? anyTest : anyTest.skip;

const onTmpfs = async (t: ExecutionContext, size: string): Promise<string> => {
	const directory = await temporaryDirectory(t);
	mountTmpfs(t, directory, size);
	return directory;
};

const fill = async (path: string): Promise<void> => {
	const block = Buffer.alloc(4096);
	for (let n = 0; n < 10_000; n += 1) {
		try {
			await writeFile(join(path, `filler-${n}`), block);
		} catch {
			return;
		}
	}
};

test("publish › on a full file system fails for want of space, leaves nothing published, and can be repeated", async (t) => {
	const path = await onTmpfs(t, "1m");
	const repository = await createRepository(openOptions(path));
	const { manifest: parent } = await publishIn(repository, aManifest());
	const child = within(repository, aChild(parent));
	const incoming = await placeFiles(repository, child);
	const filler = join(path, "trash", "filler");
	await mkdir(filler);
	await fill(filler);
	const error = await rejectsWith(t, repository.publish(child), "REPOSITORY_NO_SPACE");
	t.is(error.details["outcome"], "not-done");
	const [chain] = await repository.chains(MANIFEST_VM);
	t.deepEqual([chain?.members.length, chain?.problems], [1, []]);
	t.deepEqual(
		(await readdir(incoming)).filter((name) => name.startsWith(".")),
		[],
	);
	const facts = { reason: "x", at: "2026-01-02T03:04:05.000Z", host: "host-a" };
	const end = repository.endChain(MANIFEST_VM, MANIFEST_CHAIN, facts);
	await rejectsWith(t, end, "REPOSITORY_NO_SPACE");
	await rm(filler, { recursive: true });
	t.deepEqual((await repository.publish(child)).manifest, child);
});

test("a repository that is mounted read-only › can be read, and says so where it would be written", async (t) => {
	const path = await onTmpfs(t, "1m");
	const made = await createRepository(openOptions(path));
	const { manifest } = await publishIn(made, aManifest());
	const child = within(made, aChild(manifest));
	await placeFiles(made, child);
	remount(path, "ro");
	const repository = await openRepository(openOptions(path));
	t.false((await repository.state()).writable);
	t.is((await repository.chains(MANIFEST_VM)).length, 1);
	const holder = { host: "host-a", job: "j", why: "w" };
	const writes = [
		repository.lease(MANIFEST_VM, "host-a"),
		repository.publish(child),
		repository.incoming("0196f000-0000-7000-8000-0000000000aa"),
		repository.discard(child.identity.id),
		repository.hold(MANIFEST_VM, MANIFEST_CHAIN, holder),
		repository.endChain(MANIFEST_VM, MANIFEST_CHAIN, {
			reason: "x",
			at: manifest.createdAt,
			host: "h",
		}),
	];
	for (const write of writes) await rejectsWith(t, write, "REPOSITORY_READ_ONLY");
	remount(path, "rw");
	t.true((await repository.state()).writable);
	await repository.publish(child);
});

test("createRepository › refuses a directory whose parts are on several file systems", async (t) => {
	for (const part of ["incoming", "vms", "trash"]) {
		const path = await temporaryDirectory(t);
		for (const one of ["incoming", "vms", "trash"]) await mkdir(join(path, one));
		mountTmpfs(t, join(path, part), "64k");
		const error = await rejectsWith(t, createRepository(openOptions(path)), "REPOSITORY_INVALID");
		t.regex(error.message, /more than one file system/);
		t.deepEqual((await readdir(path)).sort(), ["incoming", "trash", "vms"]);
		for (const one of ["incoming", "vms", "trash"]) t.deepEqual(await readdir(join(path, one)), []);
	}
});

test("createRepository › says that a file system is full or read-only", async (t) => {
	const full = await onTmpfs(t, "4k");
	await writeFile(join(full, ".snapshot"), Buffer.alloc(4096)).catch(() => undefined);
	await rejectsWith(t, createRepository(openOptions(full)), "REPOSITORY_NO_SPACE");
	const readOnly = await onTmpfs(t, "64k");
	remount(readOnly, "ro");
	await rejectsWith(t, createRepository(openOptions(readOnly)), "REPOSITORY_READ_ONLY");
	const inside = createRepository(openOptions(join(readOnly, "deep")));
	await rejectsWith(t, inside, "REPOSITORY_READ_ONLY");
});
