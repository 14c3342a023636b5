// The terminal interface on a host with 10,000 backups and 500 jobs: first useful paint, keys, memory, and what it costs when idle.
// It runs in a terminal of `script`, against a made-up host behind a real control socket.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = join(import.meta.dirname, "../..");
const ROUNDS = Number(process.argv[2] ?? 5);
const IDLE_MS = 10_000;
const DEADLINE_MS = 30_000;

const startHost = async (socket: string, reporting: number): Promise<ChildProcess> => {
	const host = spawn(
		process.execPath,
		[
			"--conditions=source",
			join(ROOT, "test/support/show/show-daemon.ts"),
			socket,
			...["--vms", "50", "--backups", "10000", "--jobs", "500", "--reporting", String(reporting)],
		],
		{ stdio: ["ignore", "pipe", "inherit"] },
	);
	if (host.stdout !== null) await once(host.stdout, "data");
	return host;
};

/** knib tui in a terminal; `output` grows as it is written. */
const startTui = (socket: string) => {
	const line = `stty cols 120 rows 40; echo pid $$; exec '${process.execPath}' '${ROOT}/bin/knib.js' tui`;
	const at = performance.now();
	const child = spawn("script", ["-qfc", line, "/dev/null"], {
		env: {
			PATH: process.env["PATH"],
			LANG: "C.UTF-8",
			TERM: "xterm-256color",
			KNIB_SOCKET: socket,
		},
		stdio: ["pipe", "pipe", "inherit"],
	});
	let output = "";
	let bytes = 0;
	let tell: () => void = () => undefined;
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		output += text;
		bytes += Buffer.byteLength(text);
		tell();
	});
	/** Milliseconds from `from` until the output has this. */
	const until = async (what: RegExp, from: number): Promise<number> => {
		const end = performance.now() + DEADLINE_MS;
		while (!what.test(output)) {
			if (performance.now() > end) throw new Error(`never saw ${String(what)}`);
			await Promise.race([new Promise<void>((resolve) => (tell = resolve)), sleep(1000)]);
		}
		return performance.now() - from;
	};
	return {
		until,
		first: (what: RegExp) => until(what, at),
		/** Milliseconds from a key to what it brings. */
		press: async (key: string, what: RegExp): Promise<number> => {
			output = "";
			const from = performance.now();
			child.stdin.write(key);
			return await until(what, from);
		},
		bytes: () => bytes,
		pid: () => Number(/pid (\d+)/.exec(output)?.[1]),
		stop: async () => {
			const ended = once(child, "close");
			child.stdin.write("q");
			await ended;
		},
	};
};

const field = async (pid: number, name: string): Promise<number> => {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
};
/** Seconds of processor time. */
const cpu = async (pid: number): Promise<number> => {
	const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
	return (Number(fields[11]) + Number(fields[12])) / 100;
};

const median = (values: readonly number[]): number =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const most = (values: readonly number[]): number => Math.max(...values);
const line = (what: string, value: string, limit: string): void => {
	process.stdout.write(`${what.padEnd(44)} ${value.padStart(12)}   limit ${limit}\n`);
};

const KEYS = [
	["2", /OFFERING/],
	["4", /PROOF.*CHAIN|BACKUP/],
	["5", /PROGRESS/],
	["?", /everywhere/],
	["q", /PROGRESS|Jobs/],
	["1", /NEEDS YOU/],
] as const;

const directory = await mkdtemp(join(tmpdir(), "knib-bench-"));
const socket = join(directory, "s");
try {
	const busy = await startHost(socket, 20);
	const paints: number[] = [];
	const presses: { readonly key: string; readonly ms: number }[] = [];
	const resident: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const tui = startTui(socket);
		paints.push(await tui.first(/LAST PROOF[\s\S]*(answered|copied) 20/));
		const pid = tui.pid();
		await tui.until(/vm-4/, performance.now()).catch(() => undefined);
		await sleep(2000);
		for (const [key, what] of KEYS) presses.push({ key, ms: await tui.press(key, what) });
		resident.push(await field(pid, "VmHWM"));
		await tui.stop();
	}
	busy.kill();
	await once(busy, "close");
	const idle = await startHost(socket, 0);
	const tui = startTui(socket);
	await tui.first(/LAST PROOF[\s\S]*(answered|copied) 20/);
	const pid = tui.pid();
	await sleep(3000);
	const [bytes, seconds] = [tui.bytes(), await cpu(pid)];
	await sleep(IDLE_MS);
	const [written, used] = [tui.bytes() - bytes, (await cpu(pid)) - seconds];
	await tui.stop();
	idle.kill();
	process.stdout.write(
		`10,000 backups, 500 jobs, ${availableParallelism()} cores, ${ROUNDS} rounds\n`,
	);
	line("first useful paint after start, median", `${median(paints).toFixed(0)} ms`, "300 ms");
	const keys = presses.map(({ ms }) => ms);
	const slowest = presses.find(({ ms }) => ms === most(keys))?.key ?? "";
	line("key to effect, 20 jobs reporting, median", `${median(keys).toFixed(0)} ms`, "50 ms");
	line(`key to effect, worst (${slowest})`, `${most(keys).toFixed(0)} ms`, "50 ms");
	line("resident memory, most", `${most(resident).toFixed(0)} MiB`, "100 MB");
	line("written to the terminal when idle", `${written / (IDLE_MS / 1000)} B/s`, "0 B/s");
	line("processor when idle", `${((used / (IDLE_MS / 1000)) * 100).toFixed(1)} %`, "2 %");
} finally {
	await rm(directory, { recursive: true, force: true });
}
