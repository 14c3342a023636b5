// How fast this host copies, hashes, compresses and acknowledges. It works in a directory of its own in the repository's `incoming` and in
// one beside the store; both are removed whatever happens, and by the next daemon where this one was killed.
import { readFile, rm } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import {
	type BenchmarkInput,
	type BenchmarkPart,
	type BenchmarkView,
	type Clock,
	type IdSource,
	isBusy,
	isRefusal,
	KnibError,
	planBenchmark,
	uuidSchema,
} from "@knib/core";
import { z } from "zod";
import type { Books } from "../catalog/create-catalog.ts";
import type { JobService } from "../jobs/job-service.ts";
import { asNoSpace } from "../jobs/no-space.ts";
import { writeStateFile } from "../state-file.ts";
import { type MeasureDeps, measureAll } from "./measure.ts";

type Deps = MeasureDeps & {
	readonly books: Pick<Books, "catalog" | "repositories" | "settings">;
	readonly jobs: Pick<JobService, "list">;
	readonly clock: Pick<Clock, "monotonic" | "now">;
	readonly ids: Pick<IdSource, "uuid">;
	readonly host: { readonly name: string };
	readonly stateDir: string;
	readonly onProblem: (error: unknown) => void;
};

/** The directory in `incoming` that a benchmark works in. */
const noteSchema = z.object({ repository: uuidSchema, directory: uuidSchema });
type Note = z.infer<typeof noteSchema>;

const readNote = async (path: string): Promise<Note | undefined> => {
	try {
		return noteSchema.parse(JSON.parse(await readFile(path, "utf8")));
	} catch {
		return undefined;
	}
};

export const createBenchmark = (deps: Deps) => {
	const { books, jobs, clock, ids, host, stateDir, onProblem } = deps;
	const path = `${stateDir}/benchmark.json`;
	const log = `${stateDir}/benchmark-store`;
	let running: { readonly cancel: AbortController; readonly ended: Promise<unknown> } | undefined;

	/** Removes what a benchmark made, in this run of the daemon or in one that was killed. Rejects when the repository cannot be reached: the note stays then. */
	const clean = async (): Promise<void> => {
		await rm(log, { recursive: true, force: true });
		const note = await readNote(path);
		if (note !== undefined) {
			const known = (await books.repositories.known()).some(({ id }) => id === note.repository);
			if (known) await (await books.catalog.open(note.repository)).discard(note.directory);
		}
		await rm(path, { force: true });
	};

	const repositoryOf = async (text: string | undefined) => {
		const all = await books.repositories.known();
		const own = all.find((one) => one.default) ?? all[0];
		const known = text === undefined ? own : await books.repositories.find(text);
		if (known !== undefined) return known;
		throw new KnibError("REFUSED", "this host has no repository", {
			details: { hint: "`knib repository add NAME --path DIR` adds one" },
		});
	};

	const measure = async (
		input: BenchmarkInput,
		signal: AbortSignal,
		onPart: (part: BenchmarkPart | "prepare") => void,
	): Promise<BenchmarkView> => {
		await clean();
		const { id, name } = await repositoryOf(input.repository);
		const repository = await books.catalog.open(id);
		const { capacity, free } = await repository.state();
		const minimumFree = await books.settings.value("backup.repository.minimum.free", {});
		const plan = planBenchmark({ name, capacity, free, minimumFree, size: input.size });
		if (isRefusal(plan)) throw new KnibError(plan.code, plan.message, { details: plan.details });
		const executing = (await jobs.list({ executing: true })).length;
		const [load = 0] = loadavg();
		const cores = availableParallelism();
		const at = clock.now();
		const directory = ids.uuid();
		await writeStateFile(path, { repository: id, directory } satisfies Note);
		const { path: incoming } = await repository.incoming(directory);
		const place = { directory: incoming, log, size: input.size };
		const results = await measureAll(deps, place, signal, onPart).catch((thrown: unknown) => {
			throw asNoSpace(thrown, "REPOSITORY_NO_SPACE", `${repository.path} is full`);
		});
		return {
			...{ host: host.name, at, size: input.size, cores, executing, results },
			repository: { id, name, path: repository.path },
			load: Math.round(load * 100) / 100,
			busy: isBusy(load, cores, executing),
		};
	};

	return {
		/** One at a time: rejects with REFUSED while another one runs, where there is too little space or no repository; with CANCELLED when the signal fires, and with what made a part fail. Nothing of it is left in either case. */
		run: async (
			input: BenchmarkInput,
			signal: AbortSignal,
			onPart: (part: BenchmarkPart | "prepare") => void,
		): Promise<BenchmarkView> => {
			if (running !== undefined) {
				throw new KnibError(
					"REFUSED",
					"a benchmark is running already, and two would slow each other",
					{
						details: { hint: "wait until it has ended" },
					},
				);
			}
			const cancel = new AbortController();
			const both = AbortSignal.any([signal, cancel.signal]);
			const work = measure(input, both, onPart).then(
				async (view) => {
					await clean();
					return view;
				},
				async (thrown: unknown) => {
					await clean().catch(onProblem);
					throw thrown;
				},
			);
			running = { cancel, ended: work.catch(() => undefined) };
			try {
				return await work;
			} finally {
				running = undefined;
			}
		},
		/** Cancels the one that runs and waits until nothing is left of it. */
		stop: async (): Promise<void> => {
			running?.cancel.abort();
			await running?.ended;
		},
		clean,
	};
};
export type Benchmark = ReturnType<typeof createBenchmark>;
