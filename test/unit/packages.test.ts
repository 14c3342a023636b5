// The published package is the root: what workspaces use must stand in its dependencies at the same version, or it is missing at the
// user's; a workspace with dependencies of its own would have them bundled.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "../..");

const packageSchema = z.looseObject({
	name: z.string(),
	version: z.string(),
	dependencies: z.record(z.string(), z.string()).default({}),
	devDependencies: z.record(z.string(), z.string()).default({}),
	peerDependencies: z.record(z.string(), z.string()).default({}),
});

const read = async (directory: string) =>
	packageSchema.parse(JSON.parse(await readFile(join(ROOT, directory, "package.json"), "utf8")));

const workspaces = async (): Promise<readonly string[]> => {
	const folders = await Promise.all(
		["packages", "apps"].map(async (folder) =>
			(await readdir(join(ROOT, folder))).map((name) => `${folder}/${name}`),
		),
	);
	const all = folders.flat();
	const known = await Promise.all(
		all.map((one) =>
			read(one).then(
				() => one,
				() => undefined,
			),
		),
	);
	return known.filter((one) => one !== undefined);
};

test("packages › workspaces declare third-party packages at the root's version, as development dependencies only", async (t) => {
	const root = await read(".");
	const pinned: Record<string, string> = { ...root.devDependencies, ...root.dependencies };
	for (const directory of await workspaces()) {
		const one = await read(directory);
		t.deepEqual(one.dependencies, {}, directory);
		t.deepEqual(one.peerDependencies, {}, directory);
		t.is(one.version, root.version, directory);
		for (const [name, version] of Object.entries(one.devDependencies)) {
			if (name.startsWith("@types/")) continue;
			t.is(
				pinned[name] ?? (name.startsWith("@knib/") ? root.version : undefined),
				version,
				`${directory}: ${name}`,
			);
		}
	}
});

test("packages › every dependency of the root is pinned exactly", async (t) => {
	const root = await read(".");
	for (const [name, version] of Object.entries({ ...root.dependencies, ...root.devDependencies })) {
		t.regex(version, /^\d+\.\d+\.\d+$/, name);
	}
});
