// Writes oclif.manifest.json from the built commands; `--check` compares and fails when the file is stale.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Plugin } from "@oclif/core";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const file = `${root}/oclif.manifest.json`;
const read = () => {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return "";
	}
};
const before = read();
rmSync(file, { force: true });
const plugin = new Plugin({
	root,
	type: "core",
	ignoreManifest: true,
	errorOnManifestCreate: true,
});
await plugin.load();
// Files are found in no certain order.
const byId = ([a], [b]) => (a < b ? -1 : 1);
const commands = Object.fromEntries(Object.entries(plugin.manifest.commands).sort(byId));
const after = `${JSON.stringify({ ...plugin.manifest, commands }, null, "\t")}\n`;
if (process.argv.includes("--check")) {
	writeFileSync(file, before);
	if (before !== after) {
		console.error("oclif.manifest.json is stale: run npm run build and commit it");
		process.exit(1);
	}
} else writeFileSync(file, after);
