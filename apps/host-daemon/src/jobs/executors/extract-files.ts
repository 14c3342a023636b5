// The steps of an extraction of files beside `hold`.
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { absolutePath, type ExtractPlan, guestPath, KnibError } from "@knib/core";
import { fetchFiles, TREE } from "../../files/fetch-files.ts";
import { choosePartition } from "../../files/list-files.ts";
import { type OpenDisk, openDisk } from "../../files/open-disk.ts";
import { namesIn, placeFiles } from "../../files/place-files.ts";
import { walkFiles } from "../../files/walk-files.ts";
import { errnoOf } from "../../repository/errno.ts";
import type { Executor, StepContext } from "../context.ts";
import { releaseHold } from "./restore-hold.ts";

/** What was left out is kept up to this many. */
const MOST_SKIPPED = 1000;

const extractPlanOf = ({ plan }: StepContext): ExtractPlan => {
	if (plan.type === "ExtractFiles") return plan;
	throw new KnibError("INTERNAL", "an extraction's step in the plan of another job");
};

const openPlanned = async ({ deps }: StepContext, plan: ExtractPlan): Promise<OpenDisk> =>
	await openDisk(deps, await deps.catalog.findBackup(plan.backup), plan.disk);

/** The file system that holds the first of the paths; the others are looked for on it too. */
const partitionOf = async ({ disk }: OpenDisk, plan: ExtractPlan): Promise<string> => {
	const first = absolutePath(guestPath(plan.paths[0] ?? "/"));
	const wanted = plan.partition === null ? {} : { partition: plan.partition };
	const partition = await choosePartition(disk, { disk: plan.disk, ...wanted }, first);
	if (partition !== null) return partition;
	throw new KnibError("USAGE", `disk ${plan.disk} has several file systems`, {
		details: { hint: "say which with --partition" },
	});
};

const read = async (context: StepContext, plan: ExtractPlan, open: OpenDisk) => {
	const { signal } = context;
	const partition = await partitionOf(open, plan);
	const walk = await walkFiles(open.disk, partition, plan.paths, signal);
	const left = walk.skipped.map(({ path, reason }) => `${path}: ${reason}`);
	if (walk.items.length === 0) {
		throw new KnibError("REFUSED", `nothing can be extracted: ${left.slice(0, 5).join("; ")}`);
	}
	const owner = await stat(plan.directory);
	const { skipped, ...counts } = await fetchFiles(walk, {
		...{ disk: open.disk, partition, staging: plan.staging, owner, signal },
		clock: context.deps.clock,
		onBytes: (done, total) => context.progress(done, total, "bytes"),
	});
	const all = [...walk.skipped, ...skipped];
	const items = walk.items.map(({ path, to }) => ({ path, to: join(plan.directory, to) }));
	return {
		extracted: {
			...{ partition, ...counts, items },
			...{ skipped: all.slice(0, MOST_SKIPPED), skippedCount: all.length },
		},
	};
};

/** Reads the files into a directory of the job's own. */
export const fetchStep: Executor<"fetch-files"> = {
	run: async (_step, context) => {
		const plan = extractPlanOf(context);
		await mkdir(plan.directory).catch((thrown: unknown) => {
			if (errnoOf(thrown) !== "EEXIST") throw thrown;
		});
		await rm(plan.staging, { recursive: true, force: true });
		await mkdir(plan.staging, { mode: 0o700 });
		const open = await openPlanned(context, plan);
		const end = (): void => void open.close().catch(() => undefined);
		context.signal.addEventListener("abort", end, { once: true });
		try {
			return await read(context, plan, open);
		} finally {
			context.signal.removeEventListener("abort", end);
			await open.close();
		}
	},
	undo: async (_step, context) => {
		await rm(extractPlanOf(context).staging, { recursive: true, force: true });
	},
};

/** Puts them in their place and gives the hold back. From here on the job goes forward: what was placed by an earlier life stays. */
export const placeStep: Executor<"place-files"> = {
	run: async (_step, context) => {
		const { staging, directory, overwrite } = extractPlanOf(context);
		const tree = join(staging, TREE);
		const names = await namesIn(tree).catch((thrown: unknown) => {
			if (errnoOf(thrown) === "ENOENT") return [];
			throw thrown;
		});
		if (names.length > 0) await placeFiles(Buffer.from(tree), Buffer.from(directory), overwrite);
		await rm(staging, { recursive: true, force: true });
		await releaseHold(context);
		return {};
	},
};
