// A Run that answers from a script, in the way of a program: stdout, or a failure with stderr.
import { type Clock, KnibError } from "@knib/core";
import type { CommandOptions, Run } from "../../../apps/host-daemon/src/hypervisor/run-command.ts";

export type Answer = { readonly stdout?: string; readonly stderr?: string };

export type ScriptedRun = {
	readonly run: Run;
	/** All argv so far, and the options that went with them. */
	readonly calls: { readonly argv: readonly string[]; readonly options: CommandOptions }[];
};

/** Answers each call by `answer`; one with stderr is a failure with exit code 1. */
export const scriptedRun = (answer: (argv: readonly string[]) => Answer): ScriptedRun => {
	const calls: ScriptedRun["calls"] = [];
	return {
		calls,
		run: async (argv, options = {}) => {
			calls.push({ argv, options });
			const { stdout = "", stderr } = answer(argv);
			if (stderr !== undefined) {
				throw new KnibError("COMMAND_FAILED", `${argv[0]} failed: ${stderr}`, {
					details: { argv, exitCode: 1, signal: null, stderr },
				});
			}
			return { exitCode: 0, stdout: Buffer.from(stdout), stderr: "", truncated: false };
		},
	};
};

/** A clock that moves only by sleeping. */
export const sleepingClock = (): Clock & { readonly slept: () => number } => {
	let ms = 0;
	return {
		now: () => new Date(ms).toISOString(),
		monotonic: () => ms,
		slept: () => ms,
		sleep: async (by, signal) => {
			if (signal?.aborted === true) throw new KnibError("CANCELLED", "cancelled");
			ms += by;
		},
	};
};
