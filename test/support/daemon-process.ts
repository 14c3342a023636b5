// A real knibd as a child process, with everything of it in one temporary directory.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";

const BIN = fileURLToPath(new URL("../../bin/knibd.js", import.meta.url));

/** Where a daemon's things are, and the environment that says so. */
export type Place = {
	readonly home: string;
	readonly env: Readonly<Record<string, string>>;
};

/** A new place; its libvirt is one that never answers. */
export const aPlace = async (t: ExecutionContext): Promise<Place> => {
	const home = await mkdtemp(join(tmpdir(), "knib-"));
	t.teardown(() => rm(home, { recursive: true, force: true, maxRetries: 3 }));
	const env = {
		KNIB_CONFIG: join(home, "etc", "knib.toml"),
		KNIB_STATE_DIR: join(home, "state"),
		KNIB_SOCKET: join(home, "run", "s"),
		KNIB_SCRATCH_DIR: join(home, "scratch"),
		KNIB_LIBVIRT_URI: `qemu:///session?socket=${join(home, "no-libvirt")}`,
	};
	return { home, env };
};

/** What a daemon that ended left. */
export type Ended = {
	readonly code: number | null;
	readonly signal: string | null;
	readonly log: string;
};

/** A started daemon. */
export type DaemonProcess = {
	readonly child: ChildProcess;
	/** Resolves at its `knibd started`, with the milliseconds since it was spawned; rejects when it ends first. */
	readonly started: Promise<number>;
	readonly ended: Promise<Ended>;
};

/** Starts knibd; it is killed at the test's end. */
export const startKnibd = (
	t: ExecutionContext,
	env: Readonly<Record<string, string>>,
): DaemonProcess => {
	const at = performance.now();
	const child = spawn(process.execPath, [BIN], {
		env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...env },
		stdio: ["ignore", "ignore", "pipe"],
	});
	const lines: string[] = [];
	const reader = createInterface({ input: child.stderr });
	const ended = once(child, "close").then(
		([code, signal]): Ended => ({
			code: typeof code === "number" ? code : null,
			signal: typeof signal === "string" ? signal : null,
			log: lines.join("\n"),
		}),
	);
	const started = new Promise<number>((resolve, reject) => {
		reader.on("line", (line) => {
			lines.push(line);
			if (line.includes('"msg":"knibd started"')) resolve(performance.now() - at);
		});
		child.once("close", () => reject(new Error(`knibd ended: ${lines.join("\n")}`)));
	});
	started.catch(() => undefined);
	t.teardown(async () => {
		child.kill("SIGKILL");
		await ended;
	});
	return { child, started, ended };
};
