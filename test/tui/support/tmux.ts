// The real program in a real terminal, of tmux with its own server: press, see.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const BIN = join(import.meta.dirname, "../../../bin/knib.js");
const DEADLINE_MS = 90_000;

/** Runs what it is given when all is over, as a test does. */
type Cleaner = { readonly teardown: (run: () => Promise<void>) => void };

/** Installs tmux where it is missing; a test that needs a terminal fails where there can be none. */
export const needTmux = async (): Promise<void> => {
	const there = await run("tmux", ["-V"]).then(
		() => true,
		() => false,
	);
	if (there) return;
	const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
	await run("apt-get", ["update", "-qq"], { env });
	await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "tmux"], { env });
};

const isThere = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
};

const isStopped = async (pid: number): Promise<boolean> => {
	const stat = await readFile(`/proc/${pid}/stat`, "utf8");
	return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
};

/** A terminal with `knib tui` in it, and after its end a line that says how it was left. */
export const openTerminal = async (
	t: Cleaner,
	options: {
		readonly env: Readonly<Record<string, string>>;
		readonly args?: readonly string[];
		readonly width?: number;
		readonly height?: number;
	},
) => {
	const { env, args = ["tui"], width = 80, height = 24 } = options;
	const home = await mkdtemp(join(tmpdir(), "knib-tmux-"));
	const socket = join(home, "s");
	const tmux = async (...words: readonly string[]): Promise<string> =>
		(await run("tmux", ["-S", socket, "-f", "/dev/null", ...words])).stdout;
	const words = Object.entries({ LANG: "C.UTF-8", ...env }).map(
		([name, value]) => `${name}='${value}'`,
	);
	// What a terminal says of its colours is what the test says, whatever the terminal or the build that runs the test says.
	const unset = ["NO_COLOR", "FORCE_COLOR", "COLORTERM"].map((name) => `-u ${name}`).join(" ");
	const pidFile = join(home, "pid");
	const command = `echo before; sh -c 'echo $$ >${pidFile}; exec "$@"' sh env ${unset} ${words.join(" ")} '${process.execPath}' '${BIN}' ${args.join(" ")}; echo "left with $?"; exec sleep 600`;
	const size = ["-x", String(width), "-y", String(height)];
	await tmux("-u", "new-session", "-d", ...size, command);
	t.teardown(async () => {
		await tmux("kill-server").catch(() => undefined);
		await rm(home, { recursive: true, force: true, maxRetries: 3 });
	});
	const screen = (...more: readonly string[]): Promise<string> =>
		tmux("capture-pane", "-p", ...more);
	/** Waits until something is on the screen. */
	const see = async (what: RegExp, deadlineMs = DEADLINE_MS): Promise<string> => {
		const until = performance.now() + deadlineMs;
		for (;;) {
			const text = await screen();
			if (what.test(text)) return text;
			if (performance.now() > until) throw new Error(`never saw ${String(what)}:\n${text}`);
			await sleep(100);
		}
	};
	/** Waits until the screen is as it was: what is on it is in the middle of being drawn at times. */
	const seeAgain = async (before: string): Promise<string> => {
		const until = performance.now() + DEADLINE_MS;
		for (;;) {
			const text = await screen();
			if (text === before || performance.now() > until) return text;
			await sleep(100);
		}
	};
	const pid = async (): Promise<number> => Number(await readFile(pidFile, "utf8"));
	return {
		tmux,
		screen,
		see,
		seeAgain,
		pid,
		press: (...keys: readonly string[]) => tmux("send-keys", ...keys),
		resize: (x: number, y: number) => tmux("resize-window", "-x", String(x), "-y", String(y)),
		signal: async (name: NodeJS.Signals) => process.kill(await pid(), name),
		/** Waits until the program is gone. */
		gone: async (): Promise<void> => {
			const of = await pid();
			const until = performance.now() + DEADLINE_MS;
			while (isThere(of)) {
				if (performance.now() > until) throw new Error(`process ${of} is still there`);
				await sleep(50);
			}
		},
		/** Waits until the program stands still: a SIGCONT before that would wake nobody. */
		stopped: async (): Promise<void> => {
			const until = performance.now() + DEADLINE_MS;
			while (!(await isStopped(await pid()))) {
				if (performance.now() > until) throw new Error("the program has not stopped");
				await sleep(20);
			}
		},
		/** Whether the other screen is shown, and the cursor. */
		modes: async () => {
			const [other, cursor] = (await tmux("display", "-p", "#{alternate_on} #{cursor_flag}"))
				.trim()
				.split(" ");
			return { other: other === "1", cursor: cursor === "1" };
		},
	};
};

/** A made-up host behind a control socket; see show-daemon.ts. */
export const startShow = async (t: Cleaner, args: readonly string[] = []) => {
	const home = await mkdtemp(join(tmpdir(), "knib-show-"));
	const socket = join(home, "s");
	const child = spawn(
		process.execPath,
		[
			"--conditions=source",
			join(import.meta.dirname, "../../support/show/show-daemon.ts"),
			socket,
			...args,
		],
		{ stdio: ["ignore", "pipe", "inherit"] },
	);
	const ended = once(child, "close");
	t.teardown(async () => {
		child.kill("SIGKILL");
		await ended;
		await rm(home, { recursive: true, force: true, maxRetries: 3 });
	});
	await Promise.race([
		once(child.stdout, "data"),
		ended.then(() => {
			throw new Error("the made-up host ended");
		}),
	]);
	return { env: { KNIB_SOCKET: socket } };
};
