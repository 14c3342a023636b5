// Opens the terminal interface. What the rest of the command line needs is not loaded for it: that takes longer than to paint, and
// twenty megabytes that a screen which is open all day would keep.
import { setImmediate as immediately, setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type ErrorView, KnibError, viewError } from "@knib/core/errors";
import type { KnibClient } from "@knib/host-daemon/client";
import { openConnection } from "./connection.ts";
import { environment } from "./environment.ts";
import { exitOf } from "./exit-code.ts";
import { errorText } from "./print/error.ts";

/** How long the interface waits for the daemon before it is loaded, ms. */
const AHEAD_MS = 50;

/** How it is opened. */
export type TuiFlags = {
	readonly config?: string | undefined;
	readonly socket?: string | undefined;
	readonly "read-only": boolean;
	readonly mouse: boolean;
	readonly theme: string;
};

const lookOver = async ({ config, socket }: TuiFlags) => {
	const { runDoctor } = await import("@knib/host-daemon/client");
	return (await runDoctor({ flags: { config, socket }, env: environment() })).checks;
};

/** Opens it on this process's terminal until the operator leaves; answers the exit code. Throws USAGE where there is no terminal. */
export const openTui = async (flags: TuiFlags): Promise<number> => {
	const env = environment();
	if (!process.stdin.isTTY || !process.stdout.isTTY || env["TERM"] === "dumb") {
		throw new KnibError("USAGE", "the terminal interface needs a terminal", {
			details: { hint: "use `knib tui --plain` for lines, or `knib status`" },
		});
	}
	const connect = (): Promise<KnibClient> => openConnection(flags);
	// The daemon answers while the interface is loaded, which takes about as long.
	const [{ open }] = await Promise.all([
		import("@knib/tui/ahead"),
		import("@knib/host-daemon/client"),
	]);
	const ahead = open(connect);
	// Loading leaves no time for the connection: the questions go first, unless the daemon keeps silent. Why it cannot be reached
	// is told to whoever uses the connection.
	const asked = ahead.then(({ client }) => client.ready).catch(() => undefined);
	await Promise.race([asked, sleep(AHEAD_MS, undefined, { ref: false })]);
	await immediately();
	const { runTui, THEME_NAMES } = await import("@knib/tui");
	return await runTui({
		...{ connect, ahead, env, mouse: flags.mouse, doctor: () => lookOver(flags) },
		theme: THEME_NAMES.find((name) => name === flags.theme) ?? "dark",
		readOnly: flags["read-only"],
	});
};

const THEMES: readonly (string | undefined)[] = ["dark", "light", "contrast", "mono"];

/** The flags of plain arguments; null where there is anything else in them, which the command itself is left to judge. */
const plainFlags = (args: readonly string[]): TuiFlags | null => {
	const flag = { type: "boolean", default: false } as const;
	const text = { type: "string" } as const;
	const options = { "read-only": flag, mouse: flag, theme: text, config: text, socket: text };
	try {
		const { values } = parseArgs({ args: [...args], options });
		const theme = values.theme ?? (environment()["KNIB_THEME"] || "dark");
		return THEMES.includes(theme) ? { ...values, theme } : null;
	} catch {
		return null;
	}
};

/** Opens it for plain arguments of `knib tui`; false where the command itself has to look at them. */
export const openTuiAtOnce = async (args: readonly string[]): Promise<boolean> => {
	const flags = plainFlags(args);
	const terminal = process.stdin.isTTY && process.stdout.isTTY && environment()["TERM"] !== "dumb";
	if (flags === null || !terminal) return false;
	try {
		process.exitCode = await openTui(flags);
	} catch (error) {
		const view: ErrorView = viewError(error);
		process.stderr.write(`${errorText(view)}\n`);
		process.exitCode = exitOf(view.code);
	}
	return true;
};
