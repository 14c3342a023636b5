// What one piece of work costs: wall time, CPU of the whole machine, bytes that reach the disks, and the guest's longest stall.
import { readFile } from "node:fs/promises";
import type { Guest } from "../../test/lab/support/guest.ts";

/** Cost of one run. Times in seconds, stall in milliseconds, bytes as the kernel's block layer counts them. */
export type Cost = {
	readonly wall: number;
	readonly cpu: number;
	readonly written: number;
	readonly stall: number;
};

const TICKS_PER_SECOND = 100;
const SECTOR = 512;

const busySeconds = async (): Promise<number> => {
	const [first = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
	const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first
		.split(/\s+/)
		.slice(1)
		.map(Number);
	return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
};

const writtenBytes = async (): Promise<number> => {
	const lines = (await readFile("/proc/diskstats", "utf8")).trim().split("\n");
	return lines
		.map((line) => line.trim().split(/\s+/))
		.filter(([, , name = ""]) => /^(vd[a-z]|sd[a-z]|nvme\d+n\d+)$/.test(name))
		.reduce((sum, fields) => sum + Number(fields[9] ?? 0) * SECTOR, 0);
};

/** Starts the probe in the guest: a 4 KiB write with fdatasync every 10 ms. */
export const startProbe = (guest: Guest): Promise<unknown> =>
	guest.exec(
		"setsid guestbin probe /mnt/data/probe /tmp/probe.log 10 </dev/null >/dev/null 2>&1 &",
	);

const stallSince = async (guest: Guest, from: string): Promise<number> => {
	const { stdout } = await guest.exec(`guestbin gap /tmp/probe.log ${from}`);
	return Number(/max_gap_ms=([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
};

/** Runs the work and says what it cost. */
export const measure = async (guest: Guest, work: () => Promise<unknown>): Promise<Cost> => {
	const from = (await guest.exec("guestbin now")).stdout.trim();
	const [cpu, written] = [await busySeconds(), await writtenBytes()];
	const start = performance.now();
	await work();
	const wall = (performance.now() - start) / 1000;
	return {
		wall,
		cpu: (await busySeconds()) - cpu,
		written: (await writtenBytes()) - written,
		stall: await stallSince(guest, from),
	};
};

const median = (values: readonly number[]): number =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Medians of several runs. */
export const medians = (costs: readonly Cost[]): Cost => ({
	wall: median(costs.map((cost) => cost.wall)),
	cpu: median(costs.map((cost) => cost.cpu)),
	written: median(costs.map((cost) => cost.written)),
	stall: median(costs.map((cost) => cost.stall)),
});

const cell = (value: number, digits: number): string => value.toFixed(digits).padStart(9);

/** A table of methods with their medians, and each as a ratio to the first row. */
export const table = (rows: readonly (readonly [string, readonly Cost[]])[]): string => {
	const base = medians(rows[0]?.[1] ?? []);
	const head = `${"method".padEnd(28)} n   wall s     cpu s   MiB out  stall ms | ratio: wall      cpu  written    stall`;
	const lines = rows.map(([name, costs]) => {
		const m = medians(costs);
		const own = [
			cell(m.wall, 2),
			cell(m.cpu, 2),
			cell(m.written / 2 ** 20, 0),
			cell(m.stall, 0),
		].join(" ");
		const ratio = [
			m.wall / base.wall,
			m.cpu / base.cpu,
			m.written / base.written,
			m.stall / base.stall,
		]
			.map((r) => cell(r, 2))
			.join("");
		return `${name.padEnd(28)} ${costs.length} ${own} |      ${ratio}`;
	});
	return [head, ...lines].join("\n");
};
