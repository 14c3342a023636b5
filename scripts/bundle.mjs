// The terminal interface in few files, which load in a fraction of the time of a hundred: apps/cli/dist/terminal. What is loaded only
// when it is called for stays outside. Wants a build; `npm run build` runs it.
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = `${root}/apps/cli/dist/terminal`;

/** The daemon's client imports configuration, doctor and daemon only when they are called for, by the names under which it exports them: its own file gives them. */
const heavyStaysOutside = {
	name: "heavy-stays-outside",
	setup: ({ onResolve }) => {
		onResolve({ filter: /^\./ }, ({ kind, importer }) =>
			kind === "dynamic-import" && importer.endsWith("host-daemon/dist/api/client.js")
				? { path: "@knib/host-daemon/client", external: true }
				: undefined,
		);
	},
};

// Names have hashes: what an older build left would never be loaded again.
rmSync(outdir, { recursive: true, force: true });
await build({
	entryPoints: [`${root}/apps/cli/dist/open-tui.js`],
	outdir,
	bundle: true,
	splitting: true,
	format: "esm",
	platform: "node",
	target: "node22.20",
	minifyWhitespace: true,
	minifySyntax: true,
	legalComments: "eof",
	logLevel: "warning",
	plugins: [heavyStaysOutside],
	external: ["pngjs", "sixel", "bufferutil", "utf-8-validate"],
	banner: {
		// The packages among what is bundled that are CommonJS ask for Node's own modules by `require`.
		js: 'import{createRequire as knibRequire}from"node:module";const require=knibRequire(import.meta.url);',
	},
});
