// What follows a job: further jobs after a success, another attempt or a mark after a failure. Decided in core; carried out here.
import {
	afterFailure,
	asKnibError,
	type BackupMarks,
	followUpPolicySchema,
	followUps,
	isServiceType,
	isTerminal,
	type Job,
	type JobChange,
	type JobRequest,
	type KnibError,
	type Plan,
	type RunState,
	type ServiceType,
	settingMilliseconds,
	viewError,
} from "@knib/core";
import { findSubject } from "../facts/gather-service.ts";
import type { JobDeps } from "./context.ts";
import { refreshChain } from "./executors/validation-record.ts";
import type { JobBook } from "./job-book.ts";

type Waits = Extract<JobChange, { type: "waits" }>;

/** What the end of a run leads to. */
export interface Aftermath {
	/** Queues what follows and returns its ids; called before the job counts as done, so that a crash in between repeats it rather than loses it. */
	succeeded(job: Job, state: RunState): Promise<readonly string[]>;
	/** Another attempt of a service job; null when the failure is its end. Marks the backup as the failure asks for. */
	failed(job: Job, error: KnibError): Promise<Waits | null>;
	/** A job has ended, or waits again. */
	over(job: Job): void;
}

type Deps = {
	readonly deps: JobDeps;
	readonly book: JobBook;
	/** Queues a request that nobody has asked for. */
	readonly queue: (request: JobRequest, after: Job) => Promise<Pick<Job, "id">>;
	readonly over: () => void;
};

const later = (now: string, ms: number): string => new Date(Date.parse(now) + ms).toISOString();

const isCompression = (type: ServiceType): boolean =>
	type === "StartCompression" || type === "FinalizeCompression";

const limitsOf = async (deps: JobDeps, type: ServiceType) => {
	const kind = isCompression(type) ? "compression" : "validation";
	const interval = `backup.${kind}.retry.interval` as const;
	return {
		maxAttempts: await deps.catalog.setting(`backup.${kind}.max.job.retries`, {}),
		intervalMs: settingMilliseconds(interval, await deps.catalog.setting(interval, {})),
	};
};

/** Failures that say nothing about the backup's compression. */
const NO_COMPRESSION_ERROR: ReadonlySet<string> = new Set([
	"REFUSED",
	"NOT_FOUND",
	"CANCELLED",
	"INTERRUPTED",
	"BACKUP_BUSY",
]);

const markAfter = async (
	deps: JobDeps,
	job: Job,
	error: KnibError,
	final: boolean,
): Promise<void> => {
	if (job.backup === null) return;
	const view = await deps.catalog.backup(job.backup);
	const found = view === undefined ? null : await findSubject(deps, view);
	if (found === null) return;
	const { repository, subject } = found;
	if (final) await repository.discardCompressed(subject.backup);
	const { status } = subject.backup.marks.compression;
	const mark = (compression: BackupMarks["compression"]) =>
		repository.writeMarks(subject.backup, { compression });
	if (!NO_COMPRESSION_ERROR.has(error.code)) {
		await mark({ status: "CompressionError", message: error.message });
	} else if (final && (status === "Compressing" || status === "FinalizingCompression")) {
		await mark({ status: "Uncompressed", message: null });
	}
	const { chain, backup } = subject;
	const vm = { uuid: chain.vm, name: backup.manifest.vm.name };
	await refreshChain(deps, { vm, chain: chain.id, repository: subject.repository });
};

const policyOf = async (deps: JobDeps, plan: Plan & { readonly backup: string }) => {
	const view = await deps.catalog.backup(plan.backup);
	const found = view === undefined ? null : await findSubject(deps, view);
	return followUpPolicySchema.parse(found?.subject.backup.manifest.offering ?? {});
};

/** The same request is not queued twice: a crash repeats the end of a job. */
const queuedOf = (book: JobBook, request: JobRequest): Job | undefined =>
	request.type === "Consolidate"
		? book.list({ type: request.type, vm: request.vm }).find((job) => job.state === "waiting")
		: "backup" in request
			? book
					.list({ type: request.type, backup: request.backup })
					.find((job) => !isTerminal(job.state) && job.backup === request.backup)
			: undefined;

export const createAftermath = ({ deps, book, queue, over }: Deps): Aftermath => ({
	succeeded: async (job, state) => {
		const { plan, outcomes } = state;
		if (!("backup" in plan)) return [];
		const offering = await policyOf(deps, plan);
		const next: string[] = [];
		for (const request of followUps({ plan, outcomes, offering })) {
			const { id } = queuedOf(book, request) ?? (await queue(request, job));
			next.push(id);
		}
		return next;
	},
	failed: async (job, error) => {
		// What knibd's own end has interrupted is taken up by its next life.
		if (job.type === "Consolidate" && error.code === "INTERRUPTED") {
			return { type: "waits", reason: error.message, until: null, free: true };
		}
		if (!isServiceType(job.type)) return null;
		const { attempts } = job;
		const next = afterFailure({
			error: viewError(error),
			attempts,
			...(await limitsOf(deps, job.type)),
		});
		if (isCompression(job.type)) {
			await markAfter(deps, job, error, !next.again).catch((thrown: unknown) => {
				// The job says what failed; a repository that does not answer cannot be marked.
				void asKnibError(thrown);
			});
		}
		if (!next.again) return null;
		const until = next.afterMs === 0 ? null : later(deps.clock.now(), next.afterMs);
		const { reason, free } = next;
		return { type: "waits", reason, until, free, ...(free ? {} : { error: viewError(error) }) };
	},
	over,
});
