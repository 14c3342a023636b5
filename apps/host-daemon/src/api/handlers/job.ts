import {
	type JobView,
	jobFilterSchema,
	jobInputSchema,
	jobRequestSchema,
	KnibError,
	matchIds,
} from "@knib/core";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";

/** A job by whole id or a unique part of it; rejects with NOT_FOUND or AMBIGUOUS_ID. */
const findJob = async ({ jobs }: Pick<ApiDeps, "jobs">, text: string): Promise<JobView> => {
	const matches = matchIds(await jobs.list({}), text, (job) => job.id);
	const [first] = matches;
	if (first === undefined) throw new KnibError("NOT_FOUND", `there is no job ${text}`);
	if (matches.length === 1) return first;
	const candidates = matches.map(
		(job) => `${job.id} ${job.type} ${job.vm?.name ?? ""} ${job.state}`,
	);
	throw new KnibError("AMBIGUOUS_ID", `${text} matches ${matches.length} jobs`, {
		details: { candidates },
	});
};

/** Work and its queue. */
export const jobProcedures = {
	plan: procedure.input(jobRequestSchema).query(({ ctx, input }) => ctx.deps.jobs.plan(input)),
	start: procedure.input(jobRequestSchema).mutation(async ({ ctx: { deps, user }, input }) => {
		await deps.ready;
		const job = await deps.jobs.start(input, user);
		return { id: job.id, type: job.type, state: job.state, reason: job.reason };
	}),
	list: procedure.input(jobFilterSchema).query(({ ctx, input }) => ctx.deps.jobs.list(input)),
	show: procedure.input(jobInputSchema).query(({ ctx, input }) => findJob(ctx.deps, input.job)),
	log: procedure
		.input(jobInputSchema)
		.query(async ({ ctx: { deps }, input }) => deps.jobs.log((await findJob(deps, input.job)).id)),
	cancel: procedure
		.input(jobInputSchema)
		.mutation(async ({ ctx: { deps }, input }) =>
			deps.jobs.cancel((await findJob(deps, input.job)).id),
		),
	retry: procedure.input(jobInputSchema).mutation(async ({ ctx: { deps, user }, input }) => {
		const { id } = await findJob(deps, input.job);
		await deps.ready;
		const job = await deps.jobs.retry(id, user);
		return { id: job.id, type: job.type, state: job.state, reason: job.reason };
	}),
	/** The job's state, then every change; ends after the job's end. */
	watch: procedure.input(jobInputSchema).subscription(async function* ({
		ctx: { deps },
		input,
		signal,
	}) {
		const { id } = await findJob(deps, input.job);
		yield* deps.jobs.watch(id, signal ?? new AbortController().signal);
	}),
	watchAll: procedure.subscription(async function* ({ ctx, signal }) {
		yield* ctx.deps.jobs.watchAll(signal ?? new AbortController().signal);
	}),
};
