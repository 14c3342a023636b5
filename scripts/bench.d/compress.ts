// Compression of one layer: qemu-img by hand and knib beside each other, libraries, coroutines, cluster sizes with the reads of a quick
// restore, and zstd over the whole file. Medians of rounds in turn; CPU of the processes alone, so that others on the machine count little.
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { z } from "zod";
import { defineGuest } from "../../test/lab/support/guest.ts";
import { type Knib, startKnib, takeBackup } from "../../test/lab/support/knib.ts";
import { startLab } from "../../test/lab/support/lab.ts";
import { run } from "../../test/lab/support/run.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const MIB = 1 << 20;
const SIZE_MIB = Number(process.argv[3] ?? 512);
const TICKS_PER_SECOND = 100;

type Cost = { readonly wall: number; readonly cpu: number; readonly size: number };
type Row = { readonly name: string; readonly work: () => Promise<Cost> };

const median = (values: readonly number[]): number =>
	values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Half noise, half lines as logs have them. */
const writeData = async (path: string): Promise<void> => {
	const out = createWriteStream(path);
	for (let n = 0; n < SIZE_MIB; n++) {
		const lines = Array.from({ length: 20_000 }, (_, i) => {
			const number = (n * 20_000 + i) * 7919;
			return `2026-01-02T03:04:${number % 60} host${number % 17} unit[${number}]: took ${number % 9973} ms`;
		});
		const text = Buffer.from(lines.join("\n")).subarray(0, MIB);
		out.write(
			n % 2 === 0 ? randomBytes(MIB) : Buffer.concat([text, Buffer.alloc(MIB - text.length)]),
		);
	}
	out.end();
	await finished(out);
};

const allocated = async (path: string): Promise<number> => (await stat(path)).blocks * 512;

/** Runs a program; wall and CPU seconds as the shell counts them. */
const timed = async (...argv: readonly string[]): Promise<{ wall: number; cpu: number }> => {
	const script = `TIMEFORMAT='%R %U %S'; time "$@" >/dev/null`;
	const { stderr } = await run(["bash", "-c", script, "bench", ...argv], { timeoutMs: 900_000 });
	const [wall = 0, user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "")
		.split(" ")
		.map(Number);
	return { wall, cpu: user + system };
};

type Convert = { readonly library: string; readonly coroutines: number; readonly cluster: string };

const convert = async (from: string, to: string, how: Convert): Promise<Cost> => {
	await rm(to, { force: true });
	const { library, coroutines, cluster } = how;
	const cost = await timed(
		...["qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", "-m", String(coroutines), "-W"],
		...["-o", `compression_type=${library},cluster_size=${cluster}`, from, to],
	);
	return { ...cost, size: await allocated(to) };
};

/** CPU seconds of a process and of all its children that have ended. */
const cpuOf = async (pid: number): Promise<number> => {
	const text = await readFile(`/proc/${pid}/stat`, "utf8");
	const fields = text
		.slice(text.lastIndexOf(")") + 2)
		.split(" ")
		.map(Number);
	return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
};

const logSchema = z.array(z.looseObject({ at: z.string(), text: z.string() }));
const jobSchema = z.looseObject({
	id: z.string(),
	type: z.string(),
	backup: z.string().nullable(),
});

/** Seconds that the step of that name took: to the next line that begins a step, or to the last line. */
const stepSeconds = async (knib: Knib, job: string, step: string): Promise<number> => {
	const lines = logSchema.parse(await knib.ok("job", "log", job));
	const begin = lines.findIndex((line) => line.text === step);
	const next = lines.slice(begin + 1).findIndex((line) => /^[a-z]+(?:-[a-z]+)+$/.test(line.text));
	const end = lines[next < 0 ? lines.length - 1 : begin + 1 + next];
	return (Date.parse(end?.at ?? "") - Date.parse(lines[begin]?.at ?? "")) / 1000;
};

/** Both phases of knib; `convert` is the part that the other rows do. */
const byKnib = async (knib: Knib, library: string): Promise<{ convert: Cost; all: Cost }> => {
	const backup = await takeBackup(knib, "bench", "--isolated");
	const before = await cpuOf(knib.pid());
	const started = performance.now();
	await knib.ok("backup", "compress", backup.id, "--library", library);
	const wall = (performance.now() - started) / 1000;
	const cpu = (await cpuOf(knib.pid())) - before;
	const size = await allocated(join(backup.path, "vda.qcow2"));
	const jobs = z.array(jobSchema).parse(await knib.ok("job", "list", "--backup", backup.id));
	const first = jobs.find((job) => job.type === "StartCompression");
	const seconds = await stepSeconds(knib, first?.id ?? "", "compress-layers");
	await knib.ok("backup", "delete", backup.id);
	return { convert: { wall: seconds, cpu: Number.NaN, size }, all: { wall, cpu, size } };
};

const cell = (value: number, digits: number): string =>
	(Number.isNaN(value) ? "-" : value.toFixed(digits)).padStart(8);

const print = (title: string, rows: readonly (readonly [string, readonly Cost[]])[]): void => {
	console.log(`\n${title}\n${"".padEnd(34)}  wall s   cpu s     MiB   ratio`);
	const base = median(rows[0]?.[1].map((cost) => cost.wall) ?? []);
	for (const [name, costs] of rows) {
		const wall = median(costs.map((cost) => cost.wall));
		const size = median(costs.map((cost) => cost.size)) / MIB;
		const cpu = median(costs.map((cost) => cost.cpu));
		console.log(
			`${name.padEnd(34)}${cell(wall, 2)}${cell(cpu, 2)}${cell(size, 0)}${cell(wall / base, 2)}`,
		);
	}
};

const inTurn = async (rows: readonly Row[]): Promise<(readonly [string, readonly Cost[]])[]> => {
	const costs = rows.map(({ name }): [string, Cost[]] => [name, []]);
	for (let round = 0; round < ROUNDS; round++) {
		for (const index of rows.keys()) {
			const at = (index + round) % rows.length;
			const row = rows[at];
			if (row !== undefined) costs[at]?.[1].push(await row.work());
		}
	}
	return costs;
};

const reads = (file: string): Promise<{ wall: number; cpu: number }> =>
	timed(
		...["qemu-img", "bench", "-c", "3000", "-d", "1", "-s", "4096", "-S", "131072"],
		...["-t", "none", "-f", "qcow2", file],
	);

const lab = await startLab();
try {
	const directory = join(lab.dir, "bench");
	await mkdir(directory, { recursive: true });
	const [raw, disk, out] = ["raw", "disk.qcow2", "out.qcow2"].map((name) => join(directory, name));
	if (raw === undefined || disk === undefined || out === undefined) throw new Error("no names");
	await writeData(raw);
	await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk]);
	await defineGuest(lab, { name: "bench", disks: [{ target: "vda", path: disk }] });
	const knib = await startKnib(lab);
	const layer = join((await takeBackup(knib, "bench")).path, "vda.qcow2");
	const hand = (library: string, coroutines = 1, cluster = "64k"): Row => ({
		name: `qemu-img ${library} -m ${coroutines} ${cluster}`,
		work: () => convert(layer, out, { library, coroutines, cluster }),
	});
	console.log(`${SIZE_MIB} MiB, half noise; medians of ${ROUNDS}; page cache warm`);
	for (const library of ["zstd", "zlib"]) {
		const whole: Cost[] = [];
		const ours: Row = {
			name: `knib ${library}, compress-layers`,
			work: async () => {
				const { convert: part, all } = await byKnib(knib, library);
				whole.push(all);
				return part;
			},
		};
		const rows = await inTurn([hand(library), ours]);
		print(library, [...rows, [`knib ${library}, both phases, proven`, whole]]);
	}
	print("coroutines", await inTurn([1, 2, 4, 8, 16].map((n) => hand("zstd", n))));
	const file: Row = {
		name: "zstd -3 -T0 of the whole file",
		work: async () => {
			const cost = await timed("zstd", "-q", "-f", "-3", "-T0", layer, "-o", `${out}.zst`);
			return { ...cost, size: await allocated(`${out}.zst`) };
		},
	};
	print("whole file", await inTurn([hand("zstd", 8), file]));
	for (const cluster of ["64k", "256k", "2M"]) {
		const made = await convert(layer, out, { library: "zstd", coroutines: 8, cluster });
		const read = await inTurn([
			{
				name: `3000 reads of 4 KiB, ${cluster}`,
				work: async () => ({ ...(await reads(out)), size: made.size }),
			},
		]);
		print(`clusters of ${cluster}: compressed in ${made.wall} s`, read);
	}
	await knib.stop();
} finally {
	await lab.stop();
}
