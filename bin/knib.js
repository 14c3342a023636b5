#!/usr/bin/env node
// The version is checked before anything is imported: what is imported does not start on an older Node.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const fits = (major === 22 && minor >= 20) || (major === 24 && minor >= 12) || major >= 26;
if (!fits) {
	process.stderr.write(
		`knib: Node ${process.versions.node} is too old or not a long-term release: knib needs Node 22.20 or newer 22, 24.12 or newer 24, or 26 and newer\n  next: install Node 24, for example from https://nodejs.org\n`,
	);
	process.exit(1);
}
process.stdout.on("error", (error) => {
	if (error.code === "EPIPE") process.exit(0);
	throw error;
});
process.stderr.on("error", (error) => {
	if (error.code !== "EPIPE") throw error;
});
// What was compiled is kept from one start to the next: half the time of a short command is compiling.
// Small generations: a command line and a screen hold little, and little of it is short-lived.
const v8 = await import("node:v8");
v8.setFlagsFromString("--max-semi-space-size=1");
v8.setFlagsFromString("--optimize-for-size");
const { enableCompileCache } = await import("node:module");
enableCompileCache?.();
const args = process.argv.slice(2);
const opens = args.length === 0 && process.stdin.isTTY && process.stdout.isTTY;
if (opens || args[0] === "tui") {
	const { openTuiAtOnce } = await import("../apps/cli/dist/terminal/open-tui.js");
	if (await openTuiAtOnce(args.slice(1))) process.exit();
}
const { flush, handle, run } = await import("@oclif/core");
try {
	await run(opens ? ["tui"] : args, import.meta.url);
	await flush();
} catch (error) {
	// Only what happens before a command is found comes here: a command prints its own errors.
	const missing = /^command (\S+) not found$/.exec(error.message)?.[1];
	if (missing === undefined) await handle(error);
	const message = `there is no command ${missing.replaceAll(":", " ")}`;
	const hint = "`knib --help` lists the commands";
	if (process.argv.includes("--json")) {
		const view = { error: { code: "USAGE", message, hint, details: {} } };
		process.stdout.write(`${JSON.stringify(view, null, 2)}\n`);
	} else process.stderr.write(`knib: ${message}\n  next: ${hint}\n  (USAGE)\n`);
	process.exitCode = 2;
}
