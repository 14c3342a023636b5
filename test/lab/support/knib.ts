// The real knibd and the real command line, as a user runs them, against a lab's libvirt.
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@knib/host-daemon/client";
import { execa } from "execa";
import { z } from "zod";
import { waitFor } from "./deadline.ts";
import type { Lab } from "./lab.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const COMMAND_TIMEOUT_MS = 300_000;
/** How long the daemon may take to answer, and to end what an earlier life has left. */
const ANSWER_MS = 120_000;
const SETTLE_MS = 240_000;
const ENDED = /^(?:succeeded|failed|cancelled)$/;

export type CliResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** A command or daemon under way; resolves when it has ended, however it did. */
export type Running = Promise<Ended> & { readonly kill: (signal: NodeJS.Signals) => boolean };

type Api = Awaited<ReturnType<typeof connect>>["api"];

type Ended = {
	readonly exitCode?: number;
	readonly signal?: string;
	readonly stdout?: unknown;
	readonly stderr?: unknown;
};

/** A knibd with its state, its repository and the commands that talk to it. */
export type Knib = {
	readonly stateDir: string;
	/** Directory of the default repository, named `main`. */
	readonly repository: string;
	/** Everything that the daemon wrote to its log since the harness was made. */
	readonly log: () => Promise<string>;
	readonly cli: (...args: readonly string[]) => Promise<CliResult>;
	/** Runs a command that must succeed (or end with a warning) and gives its result: of JSON lines the last one's. */
	readonly ok: (...args: readonly string[]) => Promise<unknown>;
	/** The same command without waiting for its end. */
	readonly begin: (...args: readonly string[]) => Running;
	readonly start: (environment?: Readonly<Record<string, string>>) => Promise<void>;
	/** SIGKILL. */
	readonly kill: () => Promise<void>;
	/** SIGTERM and its end. */
	readonly stop: () => Promise<void>;
	/** Waits for the end of a daemon that kills itself; its signal. */
	readonly died: (deadlineMs?: number) => Promise<string>;
	/** Waits until what an earlier life of the daemon left has been taken up, and every job has ended. */
	readonly settled: () => Promise<void>;
	readonly pid: () => number;
};

const lineSchema = z.looseObject({ type: z.string().optional(), result: z.unknown().optional() });

const lastResult = (stdout: string): unknown => {
	const text = stdout.trim();
	try {
		return JSON.parse(text);
	} catch {
		const line = lineSchema.parse(JSON.parse(text.split("\n").at(-1) ?? ""));
		return line.result;
	}
};

const unwrap = (value: unknown): unknown => {
	const line = lineSchema.safeParse(value);
	return line.success && line.data.type === "result" ? line.data.result : value;
};

/** Makes a state directory and a repository below the lab and starts a daemon. */
export const startKnib = async (
	lab: Lab,
	name = "knib",
	options: {
		readonly repository?: string;
		readonly environment?: Readonly<Record<string, string>>;
	} = {},
): Promise<Knib> => {
	const home = await mkdtemp(join(lab.dir, `${name}-`));
	const stateDir = join(home, "state");
	const repository = options.repository ?? join(home, "repository");
	const logFile = join(home, "knibd.log");
	await mkdir(stateDir, { mode: 0o700 });
	await writeFile(logFile, "");
	const socket = join(home, "control.sock");
	const env = {
		KNIB_CONFIG: join(home, "knib.toml"),
		KNIB_STATE_DIR: stateDir,
		KNIB_SOCKET: socket,
		KNIB_LIBVIRT_URI: lab.uri,
		KNIB_SCRATCH_DIR: join(home, "scratch"),
		KNIB_HOOKS_DIR: lab.hooksDir,
		NO_COLOR: "1",
		...options.environment,
	};
	let daemon: (Running & { readonly pid?: number }) | null = null;

	const begin: Knib["begin"] = (...args) =>
		execa(process.execPath, [join(ROOT, "bin/knib.js"), ...args], {
			env,
			reject: false,
			stdin: "ignore",
			timeout: COMMAND_TIMEOUT_MS,
		});
	const cli: Knib["cli"] = async (...args) => {
		const result = await begin(...args);
		return {
			code: result.exitCode ?? -1,
			stdout: String(result.stdout),
			stderr: String(result.stderr),
		};
	};
	const ended = async (): Promise<string> => {
		const result = await daemon;
		daemon = null;
		return result?.signal ?? "";
	};
	/** Asked on the socket: a command a look would take more of a small machine than what is waited for. */
	const asks = async (holds: (api: Api) => Promise<boolean>): Promise<boolean> => {
		const client = await connect({ socket }).catch(() => null);
		if (client === null) return false;
		try {
			return await holds(client.api);
		} finally {
			await client.close();
		}
	};
	const knib: Knib = {
		stateDir,
		repository,
		cli,
		begin,
		log: () => readFile(logFile, "utf8"),
		ok: async (...args) => {
			const result = await cli(...args, "--json");
			if (result.code !== 0 && result.code !== 3) {
				throw new Error(
					`knib ${args.join(" ")} exited ${result.code}\n${result.stdout}\n${result.stderr}`,
				);
			}
			return unwrap(lastResult(result.stdout));
		},
		start: async (environment = {}) => {
			daemon = execa(process.execPath, [join(ROOT, "bin/knibd.js")], {
				env: { ...env, ...environment },
				stdin: "ignore",
				stdout: "ignore",
				stderr: { file: logFile, append: true },
				reject: false,
			});
			await waitFor(() => asks(async (api) => (await api.daemon.info.query()).pid > 0), {
				deadlineMs: ANSWER_MS,
				what: "knibd to answer",
			});
		},
		kill: async () => {
			daemon?.kill("SIGKILL");
			await ended();
		},
		stop: async () => {
			daemon?.kill("SIGTERM");
			await ended();
		},
		settled: async () => {
			await waitFor(
				() =>
					asks(
						async (api) =>
							(await api.daemon.info.query()).ready &&
							(await api.job.list.query({})).every(({ state }) => ENDED.test(state)),
					),
				{ deadlineMs: SETTLE_MS, what: "the interrupted jobs to end" },
			);
		},
		died: async (deadlineMs = ANSWER_MS) => {
			const late = AbortSignal.timeout(deadlineMs);
			const timeout = new Promise<never>((_, reject) => {
				late.addEventListener("abort", () =>
					reject(new Error(`knibd still runs after ${deadlineMs} ms`)),
				);
			});
			return Promise.race([ended(), timeout]);
		},
		pid: () => daemon?.pid ?? -1,
	};
	const init = await cli("init", "--repository", repository, "--json");
	if (init.code !== 0)
		throw new Error(`knib init exited ${init.code}\n${init.stdout}\n${init.stderr}`);
	await knib.start();
	return knib;
};

/** The parts of a backup's JSON that tests look at. */
export const backupSchema = z.looseObject({
	id: z.string(),
	kind: z.string(),
	chain: z.string(),
	parent: z.string().nullable(),
	reason: z.string(),
	status: z.string(),
	path: z.string(),
	disks: z.array(
		z.looseObject({ target: z.string(), parentLayer: z.string().nullable(), size: z.number() }),
	),
});
export type TakenBackup = z.infer<typeof backupSchema>;

/** Takes a backup that must succeed. */
export const takeBackup = async (
	knib: Knib,
	vm: string,
	...flags: readonly string[]
): Promise<TakenBackup> => backupSchema.parse(await knib.ok("backup", "create", vm, ...flags));
