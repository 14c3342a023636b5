import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";

test("docs › cli.md, errors.md and keys.md say what commands, error table and keymap say", async (t) => {
	const script = fileURLToPath(new URL("../../scripts/docs.mjs", import.meta.url));
	const run = promisify(execFile);
	await t.notThrowsAsync(run(process.execPath, ["--conditions=source", script, "--check"]));
});
