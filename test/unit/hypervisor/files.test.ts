import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import {
	fileExists,
	mapLimited,
	renameFile,
	unlinkFile,
} from "../../../apps/host-daemon/src/hypervisor/files.ts";

const test = anyTest as TestFn<{ in: (name: string) => string; directory: string }>;

test.beforeEach(async (t) => {
	const directory = await mkdtemp(join(tmpdir(), "knib-files-"));
	t.context = { directory, in: (name) => join(directory, name) };
});
test.afterEach.always((t) => rm(t.context.directory, { recursive: true, force: true }));

test("renameFile › moves, also a directory, and overwrites neither", async (t) => {
	const at = t.context.in;
	await writeFile(at("a"), "a");
	await writeFile(at("b"), "b");
	await renameFile(at("a"), at("c"));
	t.is(await readFile(at("c"), "utf8"), "a");
	await t.throwsAsync(renameFile(at("c"), at("b")), { code: "EXISTS" });
	t.is(await readFile(at("b"), "utf8"), "b");
	await mkdir(at("d"));
	await renameFile(at("d"), at("e"));
	await mkdir(at("f"));
	await t.throwsAsync(renameFile(at("f"), at("e")), { code: "EXISTS" });
	t.deepEqual((await readdir(t.context.directory)).sort(), ["b", "c", "e", "f"]);
});

test("renameFile › finishes a move that stopped between its two steps", async (t) => {
	const at = t.context.in;
	await writeFile(at("a"), "a");
	await link(at("a"), at("b"));
	await renameFile(at("a"), at("b"));
	t.deepEqual(await readdir(t.context.directory), ["b"]);
});

test("renameFile › says that the file is not there", async (t) => {
	await t.throwsAsync(renameFile(t.context.in("a"), t.context.in("b")), { code: "NOT_FOUND" });
});

test("fileExists › counts a link that leads nowhere", async (t) => {
	t.false(await fileExists(t.context.in("a")));
	await symlink("/no/such/file", t.context.in("a"));
	t.true(await fileExists(t.context.in("a")));
	t.false(await fileExists(join(t.context.in("a"), "below")));
});

test("unlinkFile › is done when nothing is there, and fails on a directory", async (t) => {
	await unlinkFile(t.context.in("a"));
	await t.throwsAsync(unlinkFile(t.context.directory), { code: "COMMAND_FAILED" });
});

test("mapLimited › keeps the order and the limit", async (t) => {
	let now = 0;
	let most = 0;
	const results = await mapLimited([5, 4, 3, 2, 1], 2, async (item) => {
		now += 1;
		most = Math.max(most, now);
		for (let turns = item; turns > 0; turns -= 1) await Promise.resolve();
		now -= 1;
		return item * 10;
	});
	t.deepEqual(results, [50, 40, 30, 20, 10]);
	t.is(most, 2);
});
