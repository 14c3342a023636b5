import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { createRepository } from "../../../apps/host-daemon/src/repository/create-repository.ts";
import { createRepositoryDriver } from "../../../apps/host-daemon/src/repository/driver.ts";
import { openRepository } from "../../../apps/host-daemon/src/repository/open-repository.ts";
import { rejectsWith } from "../../contracts/repository-contract.ts";
import { MANIFEST_VM } from "../../support/builders/manifest.ts";
import { aRepository, openOptions, temporaryDirectory } from "./support/directory-harness.ts";

test("createRepository › makes the directory, and openRepository finds the same repository", async (t) => {
	const path = join(await temporaryDirectory(t), "deep", "repository");
	const made = await createRepository(openOptions(path));
	t.deepEqual((await readdir(path)).sort(), [
		"README.txt",
		"incoming",
		"knib-repository.json",
		"trash",
		"vms",
	]);
	const opened = await openRepository({ ...openOptions(path), expectedId: made.id });
	t.is(opened.id, made.id);
	t.is(opened.name, "main");
	t.deepEqual(await opened.vms(), []);
});

test("createRepository › takes an empty directory with what a file system puts into its root", async (t) => {
	const path = await temporaryDirectory(t);
	await mkdir(join(path, "lost+found"));
	t.is((await createRepository(openOptions(path))).path, path);
});

test("createRepository › refuses a directory with anything else in it, and touches nothing", async (t) => {
	const path = await temporaryDirectory(t);
	await writeFile(join(path, "precious"), "");
	const error = await rejectsWith(t, createRepository(openOptions(path)), "REPOSITORY_INVALID");
	t.regex(error.message, /neither empty nor a knib repository/);
	t.deepEqual(await readdir(path), ["precious"]);
});

test("createRepository › refuses a directory that has backups but lost its own file", async (t) => {
	const repository = await aRepository(t);
	await mkdir(join(repository.path, "vms", MANIFEST_VM));
	await rm(join(repository.path, "knib-repository.json"));
	await rejectsWith(t, createRepository(openOptions(repository.path)), "REPOSITORY_INVALID");
});

test("createRepository › refuses where there is a repository", async (t) => {
	const { path } = await aRepository(t);
	await rejectsWith(t, createRepository(openOptions(path)), "EXISTS");
});

test("createRepository › stopped at any of its changes can be begun again", async (t) => {
	const parent = await temporaryDirectory(t);
	for (let stop = 1; ; stop += 1) {
		const path = join(parent, String(stop));
		let count = 0;
		const hook = (): void => {
			count += 1;
			if (count >= stop) throw new Error("stopped here");
		};
		const stopped = await createRepository(openOptions(path, { hook })).then(
			() => false,
			() => true,
		);
		const driver = createRepositoryDriver(openOptions(path));
		const { repository } = await driver.openOrCreate(path, "main");
		t.true((await repository.state()).writable);
		if (!stopped) break;
		t.true(stop < 100);
	}
});

const REFUSED: readonly (readonly [string, RegExp, (path: string) => Promise<unknown>])[] = [
	["missing", /is missing/, async () => undefined],
	["a file", /is not a directory/, (path) => writeFile(path, "")],
	[
		"empty, as an unmounted mount point is",
		/its file system may not be mounted/,
		(path) => mkdir(path),
	],
	[
		"full of other things",
		/not a knib repository/,
		async (path) => {
			await mkdir(path);
			await writeFile(join(path, "photo.jpg"), "");
		},
	],
];
for (const [what, words, prepare] of REFUSED) {
	test(`openRepository › refuses a path that is ${what}`, async (t) => {
		const path = join(await temporaryDirectory(t), "repository");
		await prepare(path);
		const error = await rejectsWith(t, openRepository(openOptions(path)), "REPOSITORY_INVALID");
		t.regex(error.message, words);
	});
}

test("openRepository › refuses another repository than expected, and one of a newer format", async (t) => {
	const { path } = await aRepository(t);
	const expectedId = "0196f000-0000-7000-8000-00000000aaaa";
	const other = openRepository({ ...openOptions(path), expectedId });
	t.regex((await rejectsWith(t, other, "REPOSITORY_INVALID")).message, /another repository/);
	const file = join(path, "knib-repository.json");
	const text = await readFile(file, "utf8");
	await writeFile(file, text.replace('"format": 1', '"format": 2'));
	await rejectsWith(t, openRepository(openOptions(path)), "REPOSITORY_FORMAT");
	await writeFile(file, text.replace('"name"', '"nom"'));
	await rejectsWith(t, openRepository(openOptions(path)), "REPOSITORY_INVALID");
	await writeFile(file, "{".repeat(2 << 20));
	await rejectsWith(t, openRepository(openOptions(path)), "REPOSITORY_INVALID");
});

test("an open repository › notices that its mount has gone or another one has come", async (t) => {
	const repository = await aRepository(t);
	const other = await aRepository(t);
	const file = join(repository.path, "knib-repository.json");
	await writeFile(file, await readFile(join(other.path, "knib-repository.json")));
	await rejectsWith(t, repository.chains(MANIFEST_VM), "REPOSITORY_INVALID");
	await rm(repository.path, { recursive: true });
	await mkdir(repository.path);
	const gone = await rejectsWith(t, repository.chains(MANIFEST_VM), "REPOSITORY_INVALID");
	t.regex(gone.message, /may not be mounted/);
	await rejectsWith(t, repository.vms(), "REPOSITORY_INVALID");
	await rejectsWith(t, repository.state(), "REPOSITORY_INVALID");
	await rejectsWith(t, repository.incoming(MANIFEST_VM), "REPOSITORY_INVALID");
});

test("an open repository › follows no symbolic link inside it, whoever made it", async (t) => {
	const repository = await aRepository(t);
	const outside = await temporaryDirectory(t);
	await writeFile(join(outside, "precious"), "");
	const id = "0196f000-0000-7000-8000-000000000001";
	await symlink(outside, join(repository.path, "incoming", id));
	await rejectsWith(t, repository.incoming(id), "REPOSITORY_INVALID");
	await repository.discard(id);
	t.deepEqual(await readdir(join(repository.path, "incoming")), []);
	await rm(join(repository.path, "incoming"), { recursive: true });
	await symlink(outside, join(repository.path, "incoming"));
	await rejectsWith(t, repository.incoming(id), "REPOSITORY_INVALID");
	await symlink(outside, join(repository.path, "vms", MANIFEST_VM));
	await rejectsWith(t, repository.lease(MANIFEST_VM, "host-a"), "REPOSITORY_INVALID");
	await rejectsWith(t, repository.chains(MANIFEST_VM), "REPOSITORY_INVALID");
	t.deepEqual(await readdir(outside), ["precious"]);
});

test("createRepositoryDriver › tells a repository from a place for one", async (t) => {
	const parent = await temporaryDirectory(t);
	const driver = createRepositoryDriver(openOptions(parent));
	const path = join(parent, "repository");
	t.is(await driver.inspect(path), "empty");
	const made = await driver.openOrCreate(path, "main");
	t.true(made.created);
	t.is(await driver.inspect(path), "repository");
	const again = await driver.openOrCreate(path, "other");
	t.deepEqual([again.created, again.repository.id], [false, made.repository.id]);
	await writeFile(join(parent, "photo.jpg"), "");
	await rejectsWith(t, driver.inspect(parent), "REPOSITORY_INVALID");
	await rejectsWith(t, driver.open(parent), "REPOSITORY_INVALID");
});

test("createRepositoryDriver › remembers what it saw of a lease from one opening to the next", async (t) => {
	const { path } = await aRepository(t);
	const options = openOptions(path);
	await (await openRepository(options)).lease(MANIFEST_VM, "host-a");
	let now = 0;
	const clock = { ...options.clock, monotonic: () => now };
	const driver = createRepositoryDriver({ ...options, clock });
	const take = async () => (await driver.open(path)).lease(MANIFEST_VM, "host-b");
	await rejectsWith(t, take(), "LEASE_HELD");
	now = 60_000;
	t.is((await take()).fencing, 2);
});
