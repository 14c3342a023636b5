import {
	mkdir,
	readdir,
	readFile,
	rename,
	rm,
	symlink,
	truncate,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { Chain, Manifest, Repository } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import {
	type ScannedVm,
	scanRepository,
} from "../../../apps/host-daemon/src/repository/scan-repository.ts";
import { rejectsWith } from "../../contracts/repository-contract.ts";
import {
	aChild,
	aManifest,
	digestOf,
	MANIFEST_CHAIN,
	MANIFEST_VM,
} from "../../support/builders/manifest.ts";
import { aRepository, publishIn, temporaryDirectory } from "./support/directory-harness.ts";

type World = { readonly repository: Repository; readonly paths: readonly string[] };

/** A repository with a chain of three backups. */
const aChain = async (t: ExecutionContext): Promise<World> => {
	const repository = await aRepository(t);
	const paths: string[] = [];
	let manifest: Manifest | undefined;
	for (let n = 0; n < 3; n += 1) {
		const next = manifest === undefined ? aManifest() : aChild(manifest);
		const published = await publishIn(repository, next);
		manifest = published.manifest;
		paths.push(published.path);
	}
	return { repository, paths };
};

const readOnly = async ({ repository }: World): Promise<Chain> => {
	const [chain, ...more] = await repository.chains(MANIFEST_VM);
	if (chain === undefined || more.length > 0) throw new Error("not one chain");
	return chain;
};

const sequences = (chain: Chain): readonly number[] =>
	chain.members.map((member) => member.manifest.identity.sequence);

const edit = async (path: string, change: (text: string) => string): Promise<void> =>
	writeFile(path, change(await readFile(path, "utf8")));

/** Rewrites a manifest and its line in SHA256SUMS, as somebody would who knows the format. */
const forge = async (directory: string, change: (text: string) => string): Promise<void> => {
	const path = join(directory, "manifest.json");
	const before = digestOf(await readFile(path));
	await edit(path, change);
	const after = digestOf(await readFile(path));
	await edit(join(directory, "SHA256SUMS"), (text) => text.replace(before, after));
};

test("chains › names a manifest that was edited by hand, and does not offer its backup", async (t) => {
	const world = await aChain(t);
	const [, second = ""] = world.paths;
	await edit(join(second, "manifest.json"), (text) => text.replace("incremental on", "something"));
	const chain = await readOnly(world);
	t.deepEqual(sequences(chain), [1, 3]);
	t.regex(chain.problems[0] ?? "", /0002-.*\/manifest\.json was changed after it was published/);
	t.true(chain.problems.some((problem) => /0003-.* follows a hole/.test(problem)));
	const id = second.slice(-36);
	await rejectsWith(t, world.repository.find(id), "MANIFEST_INVALID");
});

test("chains › finds a changed identity even where SHA256SUMS was changed with it", async (t) => {
	const world = await aChain(t);
	await forge(world.paths[2] ?? "", (text) => text.replace('"fencing": 1', '"fencing": 7'));
	const chain = await readOnly(world);
	t.deepEqual(sequences(chain), [1, 2]);
	t.regex(chain.problems.join("\n"), /0003-.*its identity digest does not fit/);
});

test("chains › tells a hole, a lost first member and a foreign parent", async (t) => {
	const hole = await aChain(t);
	await rm(hole.paths[1] ?? "", { recursive: true });
	t.regex((await readOnly(hole)).problems.join(), /0003-\S+ follows a hole: number 2/);
	const headless = await aChain(t);
	await rm(headless.paths[0] ?? "", { recursive: true });
	t.regex((await readOnly(headless)).problems.join(), /0002-\S+ follows a hole: number 1/);
	const foreign = await aChain(t);
	await forge(foreign.paths[2] ?? "", (text) =>
		text.replace(
			/("parent": \{\s+"id": "[^"]+",\s+"identityDigest": ")[0-9a-f]+/,
			`$1${"0".repeat(64)}`,
		),
	);
	t.regex((await readOnly(foreign)).problems.join(), /0003-\S+ was made on another backup/);
});

test("chains › tells a backup that was made under an older lease than its parent", async (t) => {
	const repository = await aRepository(t);
	const parent = aManifest({ identity: { fencing: 5 } });
	const { manifest } = await publishIn(repository, parent);
	await rejectsWith(
		t,
		publishIn(repository, aChild(manifest, { identity: { fencing: 4 } })),
		"REFUSED",
	);
});

test("chains › tells two backups of one number, as a paused host leaves them that wakes too late", async (t) => {
	const world = await aChain(t);
	const [chain] = await world.repository.chains(MANIFEST_VM);
	const [first] = chain?.members ?? [];
	if (first === undefined) return t.fail();
	const elsewhere = await aRepository(t);
	await publishIn(elsewhere, first.manifest);
	const id = "0196f000-0000-7000-8000-0000000000cc";
	const late = await publishIn(elsewhere, aChild(first.manifest, { identity: { id } }));
	await rename(late.path, join(world.paths[1] ?? "", "..", `0002-${id}`));
	const { problems } = await readOnly(world);
	t.regex(problems.join("\n"), /0002-.*cc has the number of .*: two hosts have written at once/);
});

test("chains › tells a directory whose name is not its backup's", async (t) => {
	const world = await aChain(t);
	const last = world.paths[2] ?? "";
	await rename(last, last.replace("0003-", "0004-"));
	t.regex((await readOnly(world)).problems.join(), /0004-.*is not that of this directory/);
	await rename(last.replace("0003-", "0004-"), last.replace("0003-", "3-"));
	const { problems } = await readOnly(world);
	t.regex(problems.join(), /3-.* is none of knib's/);
});

test("chains › refuses a hostile manifest by its size, without reading it", async (t) => {
	const world = await aChain(t);
	await truncate(join(world.paths[2] ?? "", "manifest.json"), 2 ** 34);
	const { problems } = await readOnly(world);
	t.regex(problems.join(), /manifest\.json is larger than/);
});

test("chains › takes a link in a backup's place, or in a file's, for a problem", async (t) => {
	const world = await aChain(t);
	const [first = "", second = "", third = ""] = world.paths;
	const outside = await temporaryDirectory(t);
	await rename(third, join(outside, "moved"));
	await symlink(join(outside, "moved"), third);
	t.regex((await readOnly(world)).problems.join(), /0003-.* is a symbolic link/);
	await rename(join(second, "manifest.json"), join(outside, "manifest.json"));
	await symlink(join(outside, "manifest.json"), join(second, "manifest.json"));
	const chain = await readOnly(world);
	t.regex(chain.problems.join(), /0002-.*manifest\.json: it is a symbolic link/);
	t.deepEqual(sequences(chain), [1]);
	const directory = join(first, "..");
	await rename(directory, join(outside, "chain"));
	await symlink(join(outside, "chain"), directory);
	t.regex((await readOnly(world)).problems.join(), /is a symbolic link/);
	t.deepEqual(await world.repository.vms(), [MANIFEST_VM]);
	t.is(await world.repository.find(first.slice(-36)), undefined);
});

test("chains › tells what a newer knib has written, and keeps other chains readable", async (t) => {
	const world = await aChain(t);
	const other = "0196f000-0000-7000-8000-00000000c0ff";
	const id = "0196f000-0000-7000-8000-0000000000aa";
	await publishIn(world.repository, aManifest({ identity: { id, chain: other } }));
	await forge(world.paths[2] ?? "", (text) => text.replace('"format": 1', '"format": 2'));
	const chains = await world.repository.chains(MANIFEST_VM);
	const byId = new Map(chains.map((chain) => [chain.id, chain]));
	t.regex(byId.get(MANIFEST_CHAIN)?.problems.join() ?? "", /0003-.*a newer knib has written/);
	t.deepEqual(byId.get(other)?.problems, []);
});

test("chains › take a missing or torn SHA256SUMS and a missing manifest for problems", async (t) => {
	const world = await aChain(t);
	const [first = "", second = "", third = ""] = world.paths;
	await rm(join(first, "SHA256SUMS"));
	await writeFile(join(second, "SHA256SUMS"), "torn");
	await rm(join(third, "manifest.json"));
	const problems = (await readOnly(world)).problems.join("\n");
	t.regex(problems, /0001-.*SHA256SUMS is missing/);
	t.regex(problems, /0002-.*SHA256SUMS cannot be read/);
	t.regex(problems, /0003-.*manifest\.json is missing/);
});

test("chains › takes marks that cannot be read for the ones that keep the backup", async (t) => {
	const world = await aChain(t);
	const last = world.paths[2] ?? "";
	for (const file of ["removed.json", "pin.json", "compression.json"]) {
		await writeFile(join(last, file), "{}");
	}
	const chain = await readOnly(world);
	const marks = chain.members[2]?.marks;
	t.is(marks?.removed, null);
	t.truthy(marks?.pinned);
	t.is(marks?.compression.status, "CompressionError");
	t.is(chain.problems.length, 3);
});

test("chains › names a tracker or an end that cannot be read", async (t) => {
	const world = await aChain(t);
	const directory = join(world.paths[0] ?? "", "..");
	await writeFile(join(directory, "tracker.json"), "{}");
	await writeFile(join(directory, "ended.json"), "nothing");
	const chain = await readOnly(world);
	t.is(chain.tracker, null);
	t.regex(chain.problems.join("\n"), /ended\.json is not JSON/);
	t.regex(chain.problems.join("\n"), /tracker\.json is not as knib writes it/);
});

test("chains › leaves out what a cut-short publication made", async (t) => {
	const world = await aChain(t);
	const vm = join(world.paths[0] ?? "", "..", "..");
	await mkdir(join(vm, "0196f000-0000-7000-8000-00000000c0fe"));
	await writeFile(join(world.paths[0] ?? "", "..", ".ended.json.0123456789ab.tmp"), "{");
	t.deepEqual((await readOnly(world)).problems, []);
});

test("proveLayers › says what differs: size, header, backing file, kind, absence", async (t) => {
	const world = await aChain(t);
	const [, second] = (await readOnly(world)).members;
	if (second === undefined) return t.fail();
	const file = join(second.path, "vda.qcow2");
	const bytes = await readFile(file);
	const prove = async (): Promise<string> =>
		(await world.repository.proveLayers(second)).join("\n");
	t.is(await prove(), "");
	await writeFile(file, bytes.subarray(0, 69_000));
	t.regex(await prove(), /is 69000 bytes long, not 70000/);
	const layers = second.manifest.generation.layers.map((layer) => ({ ...layer, backing: null }));
	const generation = { ...second.manifest.generation, layers };
	const claimed = { ...second, manifest: { ...second.manifest, generation } };
	await writeFile(file, bytes);
	t.regex(
		(await world.repository.proveLayers(claimed)).join(),
		/stands on "\.\.\/0001-.*not on null/,
	);
	await rm(file);
	t.regex(await prove(), /vda\.qcow2 is missing/);
	await mkdir(file);
	t.regex(await prove(), /not a regular file/);
	await rm(file, { recursive: true });
	await symlink("/dev/zero", file);
	t.regex(await prove(), /symbolic link/);
});

const scanAll = async (repository: Repository): Promise<readonly ScannedVm[]> => {
	const seen: ScannedVm[] = [];
	for await (const vm of scanRepository(repository)) seen.push(vm);
	return seen;
};

test("scanRepository › goes over all VMs and tells of one that cannot be read", async (t) => {
	const world = await aChain(t);
	const vm = "22222222-2222-4333-8444-555555555555";
	const id = "0196f000-0000-7000-8000-0000000000bb";
	await publishIn(world.repository, aManifest({ identity: { id, vm } }));
	const outside = await temporaryDirectory(t);
	const linked = "33333333-2222-4333-8444-555555555555";
	await symlink(outside, join(world.repository.path, "vms", linked));
	const seen = await scanAll(world.repository);
	t.deepEqual(
		seen.map((one) => [one.vm, one.chains.length, one.problems.length]),
		[
			[MANIFEST_VM, 1, 0],
			[vm, 1, 0],
			[linked, 0, 1],
		],
	);
	await rm(join(world.repository.path, "vms"), { recursive: true });
	await rejectsWith(t, scanAll(world.repository), "REPOSITORY_INVALID");
});

test("moveToTrash › keeps every byte, under a name that sorts by time", async (t) => {
	const world = await aChain(t);
	const last = (await readOnly(world)).members.at(-1);
	if (last === undefined) return t.fail();
	const to = await world.repository.moveToTrash(last);
	t.regex(to, /\/trash\/20260102T030405000Z-/);
	t.deepEqual((await readdir(to)).sort(), [
		"SHA256SUMS",
		"domain-inactive.xml",
		"manifest.json",
		"vda.qcow2",
	]);
});

test("holds › counts a hold that cannot be read", async (t) => {
	const world = await aChain(t);
	const directory = join(world.paths[0] ?? "", "..", "holds");
	await mkdir(directory);
	await writeFile(join(directory, "host-b-job.json"), "torn");
	const [words] = await world.repository.holds(MANIFEST_VM, MANIFEST_CHAIN);
	t.regex(words ?? "", /cannot be read/);
	const hold = { host: "../..", job: "x", why: "y" };
	await rejectsWith(t, world.repository.hold(MANIFEST_VM, MANIFEST_CHAIN, hold), "USAGE");
});
