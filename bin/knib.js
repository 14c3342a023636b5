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
const { execute } = await import("@oclif/core");
await execute({ dir: import.meta.url });
