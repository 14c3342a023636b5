import { execa } from "execa";

export type RunResult = {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
};

export type RunOptions = {
	/** Throw on any exit code but 0; on unless told otherwise. */
	readonly reject?: boolean;
	readonly cwd?: string;
	readonly env?: Readonly<Record<string, string>>;
	readonly input?: string;
	readonly timeoutMs?: number;
};

const DEFAULT_TIMEOUT_MS = 120_000;

/** Runs a command of the test itself, with C locale; throws with argv, exit code and stderr. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
	const [file, ...args] = argv;
	if (file === undefined) throw new TypeError("nothing to run");
	const result = await execa(file, args, {
		reject: false,
		timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
		killSignal: "SIGKILL",
		env: { LC_ALL: "C.UTF-8", ...options.env },
		...(options.cwd === undefined ? {} : { cwd: options.cwd }),
		...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
	});
	const { exitCode, stdout, stderr } = result;
	if (exitCode !== undefined && (exitCode === 0 || options.reject === false)) {
		return { exitCode, stdout, stderr };
	}
	const how = exitCode === undefined ? (result.shortMessage ?? "was killed") : `exited ${exitCode}`;
	throw new Error(`${argv.join(" ")}: ${how}\n${stderr || stdout}`);
}
