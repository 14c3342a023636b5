// Runs the built command line as a child process, as a user does.
import { type ChildProcess, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/knib.js", import.meta.url));

/** What a finished command left. `events` are its JSON lines. */
export type CliResult = {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
};

/** Starts `knib` with a clean environment. */
export const startCli = (
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; result: Promise<CliResult> } => {
	const child = spawn(process.execPath, [BIN, ...args], {
		env: { PATH: process.env["PATH"], HOME: "/nonexistent", NO_COLOR: "1", ...env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const code = new Promise<number | null>((resolve) => child.once("close", resolve));
	const result = Promise.all([code, text(child.stdout), text(child.stderr)]).then(
		([code, stdout, stderr]) => ({ code, stdout, stderr }),
	);
	return { child, result };
};

/** Runs `knib` to its end. */
export const runCli = (
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
): Promise<CliResult> => startCli(args, env).result;
