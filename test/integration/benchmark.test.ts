// A benchmark in a real repository with the real qemu-img, and the command that asks for it.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	BENCHMARK_PARTS,
	type BenchmarkPart,
	type BenchmarkView,
	KnibError,
	type Repository,
} from "@knib/core";
import { openStoreLog } from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import { createBenchmark } from "../../apps/host-daemon/src/benchmark/benchmark.ts";
import { createDiskImages } from "../../apps/host-daemon/src/hypervisor/qemu-img.ts";
import { runCommand } from "../../apps/host-daemon/src/hypervisor/run-command.ts";
import { createRepositoryDriver } from "../../apps/host-daemon/src/repository/driver.ts";
import { systemClock } from "../../apps/host-daemon/src/system-clock.ts";
import { systemIds } from "../../apps/host-daemon/src/system-ids.ts";
import { apiWorld } from "../support/api-world.ts";
import { runCli, startCli } from "../support/run-cli.ts";

const MIB = 1 << 20;
const SIZE = 2 * MIB;
const never = new AbortController().signal;
const codeOf = (error: unknown): string =>
	error instanceof KnibError ? error.code : String(error);

/** A promise, and what resolves it. */
const aMoment = () => {
	let come: () => void = () => undefined;
	const coming = new Promise<void>((resolve) => {
		come = resolve;
	});
	return { come: () => come(), coming };
};

const aPlace = async (t: ExecutionContext) => {
	const home = await mkdtemp(join(tmpdir(), "knib-benchmark-"));
	t.teardown(() => rm(home, { recursive: true, force: true }));
	const driver = createRepositoryDriver({
		...{ clock: systemClock, ids: systemIds, hostId: "ab".repeat(32), qemuGroup: undefined },
	});
	const { repository } = await driver.openOrCreate(`${home}/repo`, "main");
	const known = { id: repository.id, name: "main", path: repository.path, default: true };
	const seen = { free: undefined as number | undefined, executing: 0 };
	const problems: unknown[] = [];
	const opened: Repository = {
		...repository,
		state: async () => {
			const state = await repository.state();
			return { ...state, free: seen.free ?? state.capacity };
		},
	};
	const make = () =>
		createBenchmark({
			images: createDiskImages({ run: runCommand }),
			clock: systemClock,
			ids: systemIds,
			host: { name: "here" },
			stateDir: home,
			openLog: openStoreLog,
			onProblem: (problem) => problems.push(problem),
			jobs: { list: async () => Array.from({ length: seen.executing }, () => ({}) as never) },
			books: {
				catalog: { open: async () => opened },
				repositories: { known: async () => [known], find: async () => known },
				settings: { value: async () => 5 },
			} as never,
		});
	/** What is left in the repository and beside the store. */
	const left = async () => [
		...(await readdir(`${home}/repo/incoming`)),
		...(await readdir(home)).filter((name) => name !== "repo"),
	];
	return { home, repository, make, seen, problems, left };
};

test.serial("benchmark › measures every part and leaves nothing", async (t) => {
	const { make, seen, left, repository } = await aPlace(t);
	seen.executing = 1;
	const parts: (BenchmarkPart | "prepare")[] = [];
	const view = await make().run({ size: SIZE }, never, (part) => parts.push(part));
	t.deepEqual(parts, ["prepare", ...BENCHMARK_PARTS]);
	t.deepEqual(
		view.results.map(({ name }) => name),
		[...BENCHMARK_PARTS],
	);
	for (const { name, bytesPerSecond, durationMs } of view.results) {
		t.true(bytesPerSecond > 0 && durationMs > 0, name);
	}
	for (const { compressed } of view.results.slice(2, 4)) {
		t.true(compressed !== undefined && compressed > SIZE / 3 && compressed < SIZE * 0.7);
	}
	const sync = view.results.at(-1);
	t.true((sync?.acknowledged ?? 0) > 0 && (sync?.p95Ms ?? 0) >= (sync?.medianMs ?? 1));
	t.like(view, { size: SIZE, executing: 1, busy: true, repository: { id: repository.id } });
	t.true(view.cores > 0);
	t.deepEqual(await left(), []);
});

for (const part of ["prepare", "copy", "compress zlib", "sync"] as const) {
	test.serial(`benchmark › cancelled at ${part} leaves nothing`, async (t) => {
		const { make, left, problems } = await aPlace(t);
		const benchmark = make();
		const gone = new AbortController();
		const run = benchmark.run({ size: SIZE }, gone.signal, (now) => {
			if (now === part) gone.abort();
		});
		t.is(codeOf(await t.throwsAsync(run)), "CANCELLED");
		t.deepEqual(await left(), []);
		t.deepEqual(problems, []);
	});
}

test.serial(
	"benchmark › stop cancels the one that runs, and only one runs at a time",
	async (t) => {
		const { make, left } = await aPlace(t);
		const benchmark = make();
		const begun = aMoment();
		const run = benchmark.run({ size: 64 * MIB }, never, begun.come);
		const refused = await t.throwsAsync(benchmark.run({ size: SIZE }, never, () => undefined));
		t.regex(refused?.message ?? "", /running already/);
		await begun.coming;
		const [error] = await Promise.all([t.throwsAsync(run), benchmark.stop()]);
		t.is(codeOf(error), "CANCELLED");
		t.deepEqual(await left(), []);
		await t.notThrowsAsync(benchmark.run({ size: SIZE }, never, () => undefined));
	},
);

test.serial("benchmark › is refused before anything is written where space is short", async (t) => {
	const { make, seen, left } = await aPlace(t);
	seen.free = 10 * MIB;
	const error = await t.throwsAsync(make().run({ size: SIZE }, never, () => undefined));
	t.is(codeOf(error), "REFUSED");
	t.regex(error?.message ?? "", /needs 20 MiB in repository main, which has 10 MiB free/);
	t.deepEqual(await left(), []);
});

test.serial(
	"benchmark › what a killed daemon left is removed, and what is not its own stays",
	async (t) => {
		const { home, make, repository, left } = await aPlace(t);
		const [directory, other] = [systemIds.uuid(), systemIds.uuid()];
		for (const one of [directory, other]) {
			const { path } = await repository.incoming(one);
			await writeFile(`${path}/source.raw`, "x");
		}
		await writeFile(
			`${home}/benchmark.json`,
			JSON.stringify({ repository: repository.id, directory }),
		);
		await (await openStoreLog(`${home}/benchmark-store`)).close();
		await make().clean();
		t.deepEqual(await left(), [other]);
	},
);

const VIEW: BenchmarkView = {
	host: "here",
	repository: { id: systemIds.uuid(), name: "main", path: "/repo" },
	...{ at: "2026-01-02T03:04:05.000Z", size: SIZE, cores: 8, load: 5, executing: 1, busy: true },
	results: [
		{ name: "copy", bytes: SIZE, durationMs: 100, bytesPerSecond: 10 * SIZE },
		{
			...{ name: "compress zstd", bytes: SIZE, durationMs: 2000, bytesPerSecond: SIZE / 2 },
			compressed: SIZE / 2,
		},
		{
			...{ name: "sync", bytes: 5000, durationMs: 1000, bytesPerSecond: 5000 },
			...{ acknowledged: 10, medianMs: 1.5, p95Ms: 3 },
		},
	],
};

test.serial("knib benchmark › prints a table, and with --json bytes a second", async (t) => {
	const world = await apiWorld({
		benchmark: { run: async () => VIEW, stop: async () => undefined },
	});
	t.teardown(world.close);
	const env = { KNIB_SOCKET: world.socket };
	const text = await runCli(["benchmark"], env);
	t.is(text.code, 0, text.stderr);
	t.regex(
		text.stdout,
		/^host here, 8 cores; repository main\nit was busy \(load 5, 1 job executing\)/,
	);
	t.regex(text.stdout, /copy +20\.0 MiB\/s/);
	t.regex(text.stdout, /compress zstd .* 50 % is left/);
	t.regex(text.stdout, /sync .* 10 writes, each acknowledged in 1\.5 ms, 95 % within 3 ms/);
	const json = await runCli(["benchmark", "--json", "--size", "16MiB"], env);
	t.deepEqual(JSON.parse(json.stdout), VIEW);
	t.is((await runCli(["benchmark", "--size", "1MiB"], env)).code, 2);
	t.is((await runCli(["benchmark", "--size", "much"], env)).code, 2);
});

/** One that goes on until it is cancelled. */
const anEndlessOne = async (t: ExecutionContext) => {
	const [begun, cancelled] = [aMoment(), aMoment()];
	const stopped = new AbortController();
	const world = await apiWorld({
		benchmark: {
			run: (_input, signal) =>
				new Promise((_resolve, reject) => {
					begun.come();
					AbortSignal.any([signal, stopped.signal]).addEventListener("abort", () => {
						cancelled.come();
						reject(new KnibError("CANCELLED", "the benchmark was cancelled"));
					});
				}),
			stop: async () => stopped.abort(),
		},
	});
	t.teardown(world.close);
	const started = startCli(["benchmark"], { KNIB_SOCKET: world.socket });
	await begun.coming;
	return { ...started, cancelled: cancelled.coming };
};

test.serial("knib benchmark › whoever goes away has cancelled it", async (t) => {
	const { child, result, cancelled } = await anEndlessOne(t);
	child.kill("SIGKILL");
	await cancelled;
	t.is((await result).code, null);
});

test.serial(
	"knib benchmark › an interrupt cancels it, waits for its end and exits 130",
	async (t) => {
		const { child, result, cancelled } = await anEndlessOne(t);
		child.kill("SIGINT");
		await cancelled;
		const { code, stdout, stderr } = await result;
		t.is(code, 130);
		t.is(stdout, "");
		t.regex(stderr, /cancelling and cleaning up.*\nknib: the benchmark was cancelled/);
	},
);
