import {
	type JobFilter,
	type JobView,
	jobAskInputSchema,
	jobFilterSchema,
	jobInputSchema,
	jobRequestSchema,
	KnibError,
	matchIds,
} from "@knib/core";
import type { RemoteJobs } from "../../mesh/remote-jobs.ts";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";
import { findHost } from "./host.ts";
import { peersOf } from "./peer.ts";

const matches = (job: JobView, filter: JobFilter): boolean =>
	(filter.id === undefined || job.id === filter.id) &&
	(filter.type === undefined || job.type === filter.type) &&
	(filter.host === undefined || job.host === filter.host) &&
	(filter.vm === undefined || job.vm?.uuid === filter.vm || job.vm?.name === filter.vm) &&
	(filter.backup === undefined || (job.backup?.includes(filter.backup) ?? false)) &&
	(filter.executing !== true || job.state === "executing") &&
	(filter.scheduled !== true || (job.state === "waiting" && job.scheduledAt !== null));

/** The jobs of this host and those of the others, newest first. */
const allJobs = async (
	{ jobs, peers }: Pick<ApiDeps, "jobs" | "peers">,
	filter: JobFilter,
): Promise<readonly JobView[]> => {
	const own = await jobs.list(filter);
	if (peers === undefined) return own;
	const others = (await peers.jobs.list()).filter((job) => matches(job, filter));
	return [...own, ...others].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
};

/** Undefined for a job of this host. */
const remoteOf = async ({ jobs, peers }: ApiDeps, id: string): Promise<RemoteJobs | undefined> => {
	const own = await jobs.list({ id });
	return own.length > 0 ? undefined : peers?.jobs;
};

/** A job by whole id or a unique part of it; rejects with NOT_FOUND or AMBIGUOUS_ID. */
const findJob = async (deps: ApiDeps, text: string): Promise<JobView> => {
	const matches = matchIds(await allJobs(deps, {}), text, (job) => job.id);
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
	/** As `start`, on the named host: at once on this one, by a signed request on another. */
	ask: procedure.input(jobAskInputSchema).mutation(async ({ ctx: { deps, user }, input }) => {
		const host = findHost(deps, input.host);
		await deps.ready;
		const job =
			host.id === deps.host.id
				? await deps.jobs.start(input.request, user)
				: await peersOf(deps).jobs.ask(host.id, input.request, user);
		return { id: job.id, type: job.type, state: job.state, reason: job.reason };
	}),
	/** As `plan`, on the named host, which has to be connected. */
	planOn: procedure.input(jobAskInputSchema).query(({ ctx: { deps }, input }) => {
		const host = findHost(deps, input.host);
		return host.id === deps.host.id
			? deps.jobs.plan(input.request)
			: peersOf(deps).jobs.plan(host.id, input.request);
	}),
	plan: procedure.input(jobRequestSchema).query(({ ctx, input }) => ctx.deps.jobs.plan(input)),
	start: procedure.input(jobRequestSchema).mutation(async ({ ctx: { deps, user }, input }) => {
		await deps.ready;
		const job = await deps.jobs.start(input, user);
		return { id: job.id, type: job.type, state: job.state, reason: job.reason };
	}),
	list: procedure.input(jobFilterSchema).query(({ ctx, input }) => allJobs(ctx.deps, input)),
	show: procedure.input(jobInputSchema).query(({ ctx, input }) => findJob(ctx.deps, input.job)),
	log: procedure.input(jobInputSchema).query(async ({ ctx: { deps }, input }) => {
		const { id } = await findJob(deps, input.job);
		return await ((await remoteOf(deps, id)) ?? deps.jobs).log(id);
	}),
	cancel: procedure.input(jobInputSchema).mutation(async ({ ctx: { deps }, input }) => {
		const { id } = await findJob(deps, input.job);
		return await ((await remoteOf(deps, id)) ?? deps.jobs).cancel(id);
	}),
	retry: procedure.input(jobInputSchema).mutation(async ({ ctx: { deps, user }, input }) => {
		const { id } = await findJob(deps, input.job);
		await deps.ready;
		const job = await ((await remoteOf(deps, id)) ?? deps.jobs).retry(id, user);
		return { id: job.id, type: job.type, state: job.state, reason: job.reason };
	}),
	/** The job's state, then every change; ends after the job's end. */
	watch: procedure.input(jobInputSchema).subscription(async function* ({
		ctx: { deps },
		input,
		signal,
	}) {
		const { id } = await findJob(deps, input.job);
		const remote = await remoteOf(deps, id);
		yield* (remote ?? deps.jobs).watch(id, signal ?? new AbortController().signal);
	}),
	watchAll: procedure.subscription(async function* ({ ctx, signal }) {
		yield* ctx.deps.jobs.watchAll(signal ?? new AbortController().signal);
	}),
};
