import {
	BENCHMARK_PARTS,
	type BenchmarkView,
	benchmarkInputSchema,
	KnibError,
	parseQuantity,
} from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { Flags } from "@oclif/core";
import { KnibCommand } from "../base-command.ts";
import { checked } from "../check-input.ts";
import { INTERRUPTED } from "../exit-code.ts";
import { benchmarkText } from "../print/benchmark.ts";
import { createProgressBar } from "../print/progress.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

const PARTS: readonly string[] = BENCHMARK_PARTS;

const sizeOf = (text: string): number => {
	const bytes = parseQuantity(text, "bytes");
	if (bytes !== undefined) return Math.round(bytes);
	throw new KnibError("USAGE", `--size ${text} is no size, such as 256MiB`);
};

export default class Benchmark extends KnibCommand {
	static override summary =
		"measure how fast this host copies, hashes, compresses and acknowledges, on a file of its own in a repository; nothing of it stays";
	static override flags = {
		repository: Flags.string({
			summary: "where, by name or id; absent: the default one",
			helpValue: "R",
		}),
		size: Flags.string({
			summary: "of the file, from 16MiB to 4GiB; 256MiB where none is given",
			helpValue: "SIZE",
		}),
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(Benchmark);
		const input = checked(benchmarkInputSchema, {
			...(flags.repository === undefined ? {} : { repository: flags.repository }),
			...(flags.size === undefined ? {} : { size: sizeOf(flags.size) }),
		});
		const view = await this.connected(flags, (client) => this.#measure(client, input));
		this.show(flags, view, benchmarkText);
	}

	/** An interrupt cancels and waits until nothing is left; a second one leaves that to the daemon. */
	async #measure(
		client: KnibClient,
		input: Parameters<KnibClient["benchmark"]>[0],
	): Promise<BenchmarkView> {
		const bar = createProgressBar(process.stderr);
		let asked = 0;
		const stop = (): void => {
			asked += 1;
			if (asked > 1) process.exit(INTERRUPTED);
			bar.clear();
			this.note("cancelling and cleaning up; interrupt again to leave at once");
			// Where it cannot be told to stop, the loop below learns why.
			client.api.benchmark.stop.mutate().catch(() => undefined);
		};
		for (const signal of SIGNALS) process.on(signal, stop);
		try {
			for await (const event of client.benchmark(input)) {
				if (event.type === "result") return event.result;
				bar.show(`${PARTS.indexOf(event.part) + 1}/${PARTS.length} ${event.part}`);
			}
		} finally {
			bar.clear();
			for (const signal of SIGNALS) process.off(signal, stop);
		}
		throw new KnibError("INTERNAL", "the benchmark ended without a result");
	}
}
