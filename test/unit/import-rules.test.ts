// Feeds every import rule of biome.json a violation, and what it must let pass, so that a rule that stopped working is noticed.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";
import { execa } from "execa";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "../..");

/** Path, text, and the rule that must object; null where none may. */
const CASES: readonly (readonly [string, string, string | null])[] = [
	["packages/core/src/a.ts", 'import "node:fs";', "noRestrictedImports"],
	["packages/core/src/b.ts", 'import type {} from "@knib/sync";', "noRestrictedImports"],
	["packages/core/src/c.ts", 'import "../../sync/src/index.ts";', "noRestrictedImports"],
	["packages/core/src/d.ts", "export const now = new Date();", "noRestrictedGlobals"],
	["packages/core/src/e.ts", "export const id = crypto.randomUUID();", "noRestrictedGlobals"],
	["packages/core/src/good.ts", 'import { z } from "zod";\nexport const s = z.string();', null],
	["packages/sync/src/a.ts", 'import "execa";', "noRestrictedImports"],
	["packages/sync/src/b.ts", 'import "@knib/host-daemon/client";', "noRestrictedImports"],
	["apps/host-daemon/src/jobs/a.ts", 'import "execa";', "noRestrictedImports"],
	["apps/host-daemon/src/jobs/b.ts", 'import "node:child_process";', "noRestrictedImports"],
	["apps/host-daemon/src/jobs/c.ts", 'import "blessed";', "noRestrictedImports"],
	["apps/host-daemon/src/jobs/d.ts", "export const home = process.env.HOME;", "noProcessEnv"],
	["apps/host-daemon/src/hypervisor/run-command.ts", 'import "execa";', null],
	["apps/cli/src/a.ts", 'import "rxdb";', "noRestrictedImports"],
	["apps/cli/src/b.ts", 'import "@knib/host-daemon";', "noRestrictedImports"],
	["apps/cli/src/c.ts", 'import "node:child_process";', "noRestrictedImports"],
	["apps/cli/src/good.ts", 'import "@knib/host-daemon/client";', null],
	["apps/tui/src/a.ts", 'import "blessed";', "noRestrictedImports"],
	["apps/tui/src/e.ts", 'import "blessed/lib/program.js";', "noRestrictedImports"],
	["apps/tui/src/b.ts", 'import "@knib/host-daemon";', "noRestrictedImports"],
	["apps/tui/src/blessed/a.ts", 'import "execa";', "noRestrictedImports"],
	["apps/tui/src/blessed/good.ts", 'import "blessed/lib/program.js";', null],
	["apps/tui/src/good.ts", 'import "@knib/host-daemon/client";', null],
	["apps/cli/src/d.ts", "export default 1;", "noDefaultExport"],
	["apps/cli/src/commands/good.ts", "export default 1;", null],
];

const reportSchema = z.object({
	diagnostics: z.array(
		z.looseObject({ category: z.string(), location: z.looseObject({ path: z.unknown() }) }),
	),
});

const lintCases = async (directory: string): Promise<readonly { path: string; rule: string }[]> => {
	const config: unknown = JSON.parse(await readFile(join(ROOT, "biome.json"), "utf8"));
	const own = { ...z.looseObject({}).parse(config), vcs: { enabled: false }, root: true };
	await writeFile(join(directory, "biome.json"), JSON.stringify(own));
	for (const [path, text] of CASES) {
		await mkdir(dirname(join(directory, path)), { recursive: true });
		await writeFile(join(directory, path), `${text}\n`);
	}
	const result = await execa("biome", ["lint", "--reporter=json", "--max-diagnostics=none", "."], {
		cwd: directory,
		preferLocal: true,
		localDir: ROOT,
		reject: false,
	});
	const report = reportSchema.parse(JSON.parse(result.stdout));
	return report.diagnostics.map((one) => ({
		path: JSON.stringify(one.location.path),
		rule: one.category.split("/").at(-1) ?? "",
	}));
};

test("import rules › object to each violation and to nothing else", async (t) => {
	const directory = await mkdtemp(join(tmpdir(), "knib-rules-"));
	t.teardown(() => rm(directory, { recursive: true, force: true }));
	const found = await lintCases(directory);
	for (const [path, text, rule] of CASES) {
		const rules = found.filter((one) => one.path.includes(path)).map((one) => one.rule);
		const restricted = rules.filter((one) =>
			/^noRestricted|^noProcessEnv|^noDefaultExport/.test(one),
		);
		t.deepEqual(restricted, rule === null ? [] : [rule], `${path}: ${text}`);
	}
});
