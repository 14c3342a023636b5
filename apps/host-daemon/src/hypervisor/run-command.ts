// The only place of knib that starts other programs. Everything is an argv array, never a shell; every run has a cap on its
// output, may have a deadline and a signal, and fails with the argv, exit code and the end of stderr. A child that is `tied`
// dies with this process (setpriv's parent-death signal); others (virsh, stat, …) are short and end by themselves, but what
// they asked libvirtd for goes on there (SAFETY F6).
import { type ErrorCode, KnibError } from "@knib/core";
import { execa } from "execa";
import { missingProgram, wrapArgv } from "./command-argv.ts";
import { createCapture, createTail, openNameless, splitLines } from "./command-streams.ts";

/** Program and arguments. */
export type Argv = readonly [string, ...string[]];

export type CommandOptions = {
	/** Milliseconds; none: no limit. */
	readonly deadlineMs?: number;
	readonly signal?: AbortSignal;
	/** Bytes of stdout that are kept, 64 MiB by default. */
	readonly maximumOutput?: number;
	/** What happens beyond that: the program is killed and the run fails, or the rest is thrown away. */
	readonly overflow?: "fail" | "truncate";
	/** Exit codes that are no failure besides 0. */
	readonly accept?: readonly number[];
	/** Text that the program finds in the regular file /dev/stdin; without it stdin is empty. */
	readonly input?: string;
	/** Runs at low CPU and I/O priority. */
	readonly background?: boolean;
	/** Killed when this process dies, however it dies. */
	readonly tied?: boolean;
	/** Pieces of stdout as they come; nothing is collected then. */
	readonly onOutput?: (text: string) => void;
};

export type CommandResult = {
	readonly exitCode: number;
	readonly stdout: Uint8Array;
	/** The last 4 KiB. */
	readonly stderr: string;
	readonly truncated: boolean;
};

/** Runs a program to its end. Rejects with COMMAND_FAILED (details: argv, exitCode, signal, stderr), DEADLINE or CANCELLED. */
export type Run = (argv: Argv, options?: CommandOptions) => Promise<CommandResult>;

const STDERR_TAIL = 4096;
const MAXIMUM_OUTPUT = 64 * 1024 * 1024;
const KILL_AFTER_MS = 5000;

/** The environment of every child: fixed language, so that messages can be read. */
const ENVIRONMENT = { LC_ALL: "C", LANGUAGE: "C" };

const CHILD_OPTIONS = {
	env: ENVIRONMENT,
	encoding: "buffer",
	buffer: false,
	reject: false,
	cleanup: true,
	forceKillAfterDelay: KILL_AFTER_MS,
} as const;

type Ending = {
	readonly exitCode?: number | undefined;
	readonly signal?: string | undefined;
	readonly timedOut: boolean;
	readonly isCanceled: boolean;
	readonly code?: string | undefined;
};

const failureOf = (argv: Argv, ending: Ending, stderr: string, overflow: boolean): KnibError => {
	const details = {
		argv,
		exitCode: ending.exitCode ?? null,
		signal: ending.signal ?? null,
		stderr,
	};
	const error = (code: ErrorCode, message: string) => new KnibError(code, message, { details });
	const what = argv.slice(0, 2).join(" ");
	if (ending.isCanceled) return error("CANCELLED", `${what} was cancelled`);
	if (ending.timedOut) return error("DEADLINE", `${what} did not end before its deadline`);
	const missing = missingProgram(argv[0], ending, stderr);
	if (missing !== undefined) return error("COMMAND_FAILED", missing);
	if (overflow) return error("COMMAND_FAILED", `${what} gave more output than is accepted`);
	const last = stderr.trim() === "" ? "it gave no reason" : stderr.trim();
	const end = ending.exitCode === undefined ? `by ${ending.signal ?? "a signal"}` : "";
	return error("COMMAND_FAILED", `${what} failed${end === "" ? "" : ` ${end}`}: ${last}`);
};

/** Text of a command's stdout. */
export const textOf = (result: CommandResult): string =>
	Buffer.from(result.stdout).toString("utf8");

/** Whether a failed command ran out of space (ENOSPC as programs word it). */
export const isNoSpace = (thrown: unknown): boolean =>
	thrown instanceof KnibError && /No space left on device/i.test(String(thrown.details["stderr"]));

/** execa's types know descriptors up to 9 by number; any open one is passed on. */
const isDescriptor = (fd: number): fd is 3 => fd > 2;

const start = async (argv: Argv, options: CommandOptions) => {
	const [file, ...rest] = wrapArgv(argv, options);
	const input = options.input === undefined ? undefined : await openNameless(options.input);
	const child = execa(file, rest, {
		...CHILD_OPTIONS,
		stdin: input !== undefined && isDescriptor(input.fd) ? input.fd : "ignore",
		...(options.deadlineMs === undefined
			? {}
			: { timeout: Math.max(1, Math.ceil(options.deadlineMs)) }),
		...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
	});
	return { child, input };
};

/** The real {@link Run}. */
export const runCommand: Run = async (argv, options = {}) => {
	if (options.signal?.aborted === true) {
		throw new KnibError("CANCELLED", `${argv.slice(0, 2).join(" ")} was cancelled`);
	}
	const { child, input } = await start(argv, options);
	const capture = createCapture(options.maximumOutput ?? MAXIMUM_OUTPUT);
	const tail = createTail(STDERR_TAIL);
	const decoder = new TextDecoder();
	let overflow = false;
	child.stdout?.on("data", (chunk: Buffer) => {
		if (options.onOutput !== undefined) {
			options.onOutput(decoder.decode(chunk, { stream: true }));
			return;
		}
		capture.push(chunk);
		if (capture.truncated() && options.overflow !== "truncate" && !overflow) {
			overflow = true;
			child.kill("SIGKILL");
		}
	});
	child.stderr?.on("data", (chunk: Buffer) => tail.push(chunk));
	const ending: Ending = await child;
	await input?.close();
	const stderr = tail.text();
	const { exitCode } = ending;
	const accepted = exitCode === 0 || (options.accept ?? []).includes(exitCode ?? -1);
	if (accepted && exitCode !== undefined && !overflow && !ending.timedOut && !ending.isCanceled) {
		return { exitCode, stdout: capture.bytes(), stderr, truncated: capture.truncated() };
	}
	throw failureOf(argv, ending, stderr, overflow);
};

/** A long-lived child that is talked to in lines. */
export type Conversation = {
	write(line: string): void;
	/** Resolves when the child has ended, with what it said on stderr. */
	readonly ended: Promise<{ exitCode: number | undefined; stderr: string }>;
	kill(): void;
};

/** Starts a child that reads and writes lines; `onLine` gets each line of its stdout, `onError` the text of its stderr. It dies with this process unless it `outlives` it. */
export type Converse = (
	argv: Argv,
	onLine: (line: string) => void,
	options?: { readonly outlives?: boolean; readonly onError?: (text: string) => void },
) => Conversation;

/** The real {@link Converse}. */
export const converseWith: Converse = (argv, onLine, options = {}) => {
	const outlives = options.outlives === true;
	const [file, ...rest] = wrapArgv(argv, { tied: !outlives });
	const child = execa(file, rest, {
		...CHILD_OPTIONS,
		stdin: "pipe",
		cleanup: !outlives,
		detached: outlives,
	});
	const tail = createTail(STDERR_TAIL);
	child.stdout?.on("data", splitLines(onLine));
	child.stderr?.on("data", (chunk: Buffer) => {
		tail.push(chunk);
		options.onError?.(chunk.toString("utf8"));
	});
	// A child that has gone makes writes fail; its end is reported through `ended`.
	child.stdin?.on("error", () => undefined);
	const ended = child.then((result: Ending) => {
		const stderr = missingProgram(argv[0], result, tail.text()) ?? tail.text();
		return { exitCode: result.exitCode, stderr };
	});
	return {
		write: (line) => {
			child.stdin?.write(`${line}\n`);
		},
		ended,
		kill: () => {
			child.kill("SIGKILL");
		},
	};
};
