// Pictures of the real terminal interface for the README: a made-up host, keys pressed in a real terminal, its cells drawn as SVG.
// `node --conditions=source scripts/pictures.ts` after `npm run build`; needs tmux.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openTerminal, startShow } from "../test/tui/support/tmux.ts";
import { svgOf } from "./pictures.d/svg.ts";

const OUTPUT = join(import.meta.dirname, "../docs/pictures");
const SIZE = { width: 110, height: 30 };

/** What is pressed, and what is then awaited. */
const SCENES: readonly (readonly [string, readonly (readonly [readonly string[], RegExp])[]])[] = [
	["dashboard", [[[], /LAST PROOF[\s\S]*web02/]]],
	["chains", [[["3"], /in chain/]]],
	["jobs", [[["5"], /executing/]]],
	[
		"restore",
		[
			[["4"], /answered/],
			[["R"], /as a new VM/],
		],
	],
	[
		"backup",
		[
			[["4"], /answered/],
			[["/", "answered", "Enter", "Enter"], /LADDER OF PROOF[\s\S]*screen on/],
		],
	],
];

const cleaners: (() => Promise<void>)[] = [];
const t = { teardown: (run: () => Promise<void>) => cleaners.push(run) };
try {
	const { env } = await startShow(t, ["--backups", "40"]);
	for (const [name, steps] of SCENES) {
		const options = { env: { ...env, COLORTERM: "truecolor" }, ...SIZE };
		const terminal = await openTerminal(t, options);
		await terminal.see(/● connected[\s\S]*LAST PROOF/);
		for (const [keys, what] of steps) {
			if (keys.length > 0) await terminal.press(...keys);
			await terminal.see(what);
		}
		await writeFile(
			join(OUTPUT, `${name}.svg`),
			svgOf(`knib: ${name}`, await terminal.screen("-e", "-N"), SIZE),
		);
	}
} finally {
	for (const clean of cleaners.toReversed()) await clean();
}
