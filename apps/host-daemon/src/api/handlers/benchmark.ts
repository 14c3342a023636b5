import { type BenchmarkEvent, type BenchmarkInput, benchmarkInputSchema } from "@knib/core";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";

/** Runs a benchmark as long as somebody listens: what is left of one that nobody waits for is removed. */
async function* follow(
	benchmark: ApiDeps["benchmark"],
	input: BenchmarkInput,
	gone: AbortSignal,
): AsyncGenerator<BenchmarkEvent> {
	const unheard = new AbortController();
	const said: BenchmarkEvent[] = [];
	let wake: () => void = () => undefined;
	let isOver = false;
	const work = benchmark
		.run(input, AbortSignal.any([gone, unheard.signal]), (part) => {
			said.push({ type: "progress", part });
			wake();
		})
		.finally(() => {
			isOver = true;
			wake();
		});
	const quiet = work.catch(() => undefined);
	try {
		for (;;) {
			const next = said.shift();
			if (next !== undefined) yield next;
			else if (isOver) break;
			else
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
		}
		yield { type: "result", result: await work };
	} finally {
		unheard.abort();
		await quiet;
	}
}

/** What this host can do. */
export const benchmarkProcedures = {
	run: procedure.input(benchmarkInputSchema).subscription(async function* ({
		ctx: { deps },
		input,
		signal,
	}) {
		yield* follow(deps.benchmark, input, signal ?? new AbortController().signal);
	}),
	/** Cancels the benchmark that runs; resolves once nothing is left of it. */
	stop: procedure.mutation(({ ctx }) => ctx.deps.benchmark.stop()),
};
