// Extracting files of a real backup: what is made, what is left out, what is never touched, and a knibd that dies at every journal
// line. The appliance is played.
import {
	lstat,
	mkdir,
	readdir,
	readFile,
	readlink,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { Job } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { createStartAppliance } from "../../apps/host-daemon/src/files/launch.ts";
import { DIRECTORY, type FakeGuestTree, fakeGuestfish } from "../support/fake-guestfish.ts";
import { serviceWorld } from "../support/service-world.ts";

const LINK = 0o120777;
const TREE: FakeGuestTree = {
	"/www": DIRECTORY,
	"/www/index.html": { content: "hello", mode: 0o104755 },
	"/www/deep": { mode: 0o040700 },
	"/www/deep/in\x1bside": { content: "bytes \xff" },
	"/www/deep/up": { mode: LINK, target: "../index.html" },
	"/www/out": { mode: LINK, target: "../../../../etc/shadow" },
	"/www/absolute": { mode: LINK, target: "/etc/shadow" },
	"/www/crooked": { mode: LINK, target: "deep/../../x" },
	"/www/device": { mode: 0o060600 },
	"/www/pipe": { mode: 0o010600 },
	"/www/broken": { size: 10 },
	"/one": { content: "1" },
	"/shortcut": { mode: LINK, target: "one" },
	"/huge": { size: 2 ** 52 },
};

const extractWorld = async (t: ExecutionContext, allowExtractFile = true) => {
	const asked: string[] = [];
	const world = await serviceWorld(t, {
		offering: { allowExtractFile },
		startAppliance: createStartAppliance(fakeGuestfish(TREE, asked)),
	});
	await world.record();
	const backup = world.members.at(-1)?.manifest.identity.id ?? "";
	const directory = join(world.directory, "out");
	const request = (paths: readonly string[], overwrite = false) => ({
		type: "ExtractFiles" as const,
		...{ backup, disk: "vda", paths: [...paths], directory, overwrite },
	});
	const [chain] = await world.repository.chains(world.members[0]?.manifest.identity.vm ?? "");
	const clean = async (): Promise<readonly string[]> => [
		...(await world.repository.holds(chain?.vm ?? "", chain?.id ?? "")),
		...(await readdir(directory).catch(() => [])).filter((name) => name.startsWith(".knib")),
		...(await readdir(world.directory)).filter((name) => name.startsWith("knib-files-")),
	];
	return { ...world, asked, request, directory, clean };
};

const skippedOf = (job: Job): readonly string[] => {
	const skipped: unknown = job.result?.["skipped"];
	if (!Array.isArray(skipped)) return [];
	return skipped.map((one: { path?: unknown }) => String(one.path)).sort();
};

test("files extract › brings a tree out, with what could lead out or is no file left out", async (t) => {
	const { start, request, directory, clean } = await extractWorld(t);
	const { run } = await start();
	const job = await run(request(["/www", "/one"]));
	t.is(job.state, "succeeded", job.error?.message);
	t.is(await readFile(join(directory, "www/index.html"), "utf8"), "hello");
	t.is(await readFile(join(directory, "one"), "utf8"), "1");
	t.deepEqual((await readdir(join(directory, "www"))).sort(), ["deep", "index.html"]);
	t.deepEqual((await readdir(join(directory, "www/deep"))).sort(), ["in\u001bside", "up"]);
	t.is(await readlink(join(directory, "www/deep/up")), "../index.html");
	const index = await lstat(join(directory, "www/index.html"));
	t.is(index.mode & 0o7777, 0o755);
	t.is(index.mtime.toISOString(), "2026-01-02T03:04:05.000Z");
	t.is((await lstat(join(directory, "www/deep"))).mode & 0o777, 0o700);
	t.deepEqual(skippedOf(job), [
		"/www/absolute",
		"/www/broken",
		"/www/crooked",
		"/www/device",
		"/www/out",
		"/www/pipe",
	]);
	t.like(job.result, { files: 3, directories: 2, links: 1, skippedCount: 6, partition: "whole" });
	t.deepEqual(await clean(), []);
});

test("files extract › refuses what it must before anything is started", async (t) => {
	const { start, request, asked, directory } = await extractWorld(t);
	const { service } = await start();
	const codeOf = async (paths: readonly string[], changes: object = {}): Promise<string> => {
		const error = await t.throwsAsync(service.plan({ ...request(paths), ...changes } as never));
		return error !== undefined && "code" in error ? String(error.code) : "";
	};
	t.is(await codeOf(["/www/../../etc"]), "REFUSED");
	t.is(await codeOf(["/a/same", "/b/same"]), "USAGE");
	t.is(await codeOf(["/one"], { disk: "vdz" }), "NOT_FOUND");
	t.is(await codeOf(["/one"], { directory: `${directory}/none/here` }), "REFUSED");
	await mkdir(directory);
	await writeFile(join(directory, "one"), "mine");
	t.is(await codeOf(["/one"]), "EXISTS");
	t.deepEqual(asked, []);
});

test("files extract › fails without a trace for a link out, a missing path and what does not fit", async (t) => {
	const { start, request, directory, clean } = await extractWorld(t);
	const { run } = await start();
	for (const [path, code] of [
		["/shortcut", "REFUSED"],
		["/none", "NOT_FOUND"],
		["/huge", "STORAGE_NO_SPACE"],
	] as const) {
		const job = await run(request([path]));
		t.is(job.error?.code, code, path);
		t.deepEqual(await readdir(directory), []);
		t.deepEqual(await clean(), []);
	}
});

test("files extract › replaces files only when asked, and follows no link that is there", async (t) => {
	const { start, request, directory } = await extractWorld(t);
	const { run } = await start();
	await mkdir(join(directory, "www"), { recursive: true });
	const elsewhere = join(directory, "elsewhere");
	await mkdir(elsewhere);
	await writeFile(join(directory, "www/index.html"), "mine");
	await writeFile(join(directory, "www/kept"), "mine");
	const job = await run(request(["/www"], true));
	t.is(job.state, "succeeded", job.error?.message);
	t.is(await readFile(join(directory, "www/index.html"), "utf8"), "hello");
	t.is(await readFile(join(directory, "www/kept"), "utf8"), "mine");
	await rm(join(directory, "www/deep"), { recursive: true });
	await rm(join(directory, "www/index.html"));
	await symlink(elsewhere, join(directory, "www/deep"));
	const conflict = await run(request(["/www"], true));
	t.is(conflict.error?.code, "EXISTS");
	t.deepEqual(await readdir(elsewhere), []);
});

test("files extract › is refused by the offering that the backup was taken under", async (t) => {
	const { start, request } = await extractWorld(t, false);
	const { service } = await start();
	const error = await t.throwsAsync(service.plan(request(["/one"]) as never));
	t.is(error !== undefined && "code" in error ? error.code : "", "REFUSED");
});

test("files extract › interrupted at any journal line is finished or taken back", async (t) => {
	for (let line = 1; line <= 6; line++) {
		const { start, request, directory, clean } = await extractWorld(t);
		await mkdir(directory);
		const first = await start(line);
		void first.service.start(request(["/www"]), "test");
		await first.death;
		const second = await start();
		await second.service.recovered;
		await second.idle();
		const [job] = await second.jobs();
		const made = await readdir(directory);
		t.deepEqual(made, job?.state === "succeeded" ? ["www"] : [], `line ${line}`);
		t.deepEqual(await clean(), [], `line ${line}`);
	}
});
