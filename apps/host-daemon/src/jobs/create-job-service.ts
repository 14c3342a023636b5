import {
	activitiesOf,
	asKnibError,
	type BackupView,
	backupOfPlan,
	isServiceType,
	isTerminal,
	type Job,
	type JobEvent,
	type JobRequest,
	jobRequestSchema,
	jobTypeSchema,
	KnibError,
	laneOfDirectory,
	type Plan,
	type Store,
	settingMilliseconds,
	shortId,
	viewError,
	vmOfPlan,
} from "@knib/core";
import { findVerified } from "../facts/gather-verify.ts";
import { requireListed } from "../facts/gather-vm.ts";
import { openOverlayIndex } from "../hook/overlay-index.ts";
import { createAftermath } from "./aftermath.ts";
import { type BackupCare, createBackupCare } from "./backup-care.ts";
import type { JobDeps } from "./context.ts";
import type { ExecuteParts } from "./execute-job.ts";
import { openJobBook } from "./job-book.ts";
import { createJobEvents } from "./job-events.ts";
import { openJobLogs } from "./job-log.ts";
import { createJobQueue } from "./job-queue.ts";
import type { JobService } from "./job-service.ts";
import { openJournal } from "./journal.ts";
import { createLanes } from "./lanes.ts";
import { makePlan, planNoted, viewPlan } from "./make-plan.ts";
import { recoverAll } from "./recovery.ts";
import { createServiceQueue } from "./service-queue.ts";
import { sweepValidations } from "./sweep-validations.ts";
import { lostCompressions } from "./take-up-lost.ts";

/** What the job service needs. */
export type JobServiceOptions = {
	readonly deps: Omit<JobDeps, "activities" | "overlayIndex">;
	readonly store: Store;
	/** Directory of this host's state; journals and logs lie below it. */
	readonly stateDir: string;
	/** The backups of the view; absent where there is none. */
	readonly backups?: () => Promise<readonly BackupView[]>;
	/** Reports what an operator must know: an unreadable journal, a log that cannot be written. */
	readonly onProblem: (error: unknown) => void;
	/** Crash tests stop the process here, after each durable line of a journal. */
	readonly onJournalLine?: (count: number) => void;
};

/** The job service with its life cycle. */
export type RunningJobService = JobService & {
	/** Starts what another host has asked for, under the id of its request, unless that was done before. What `check` or the planner refuses becomes a failed job of that id. Rejects with LIBVIRT_UNREACHABLE, and then nothing was done: it may be asked again. */
	startAsked(
		id: string,
		raw: { readonly type: string },
		check: () => JobRequest,
		user: string,
	): Promise<void>;
	/** Resolves when jobs are taken: those of an earlier life have their VMs' lanes. */
	readonly ready: Promise<void>;
	/** Resolves when the jobs of an earlier life have been ended. */
	readonly recovered: Promise<void>;
	/** What is done with backups at once. */
	readonly care: BackupCare;
	/** Interrupts what runs and waits for the undo; what waits is kept for the next start. */
	stop(): Promise<void>;
};

type Subject = { readonly lane: string; readonly vm: Job["vm"]; readonly backup: Job["backup"] };

const subjectOf = async (deps: JobDeps, request: JobRequest): Promise<Subject> => {
	if (request.type === "Restore" && request.mode === "new")
		return { lane: `new:${request.name}`, vm: null, backup: null };
	if (request.type === "VerifyRepository") {
		const { repository, vm } = await findVerified(deps, request);
		return { lane: `verify:${repository.id}`, vm, backup: null };
	}
	if (request.type === "RestoreDisk") {
		const { uuid, name } = await requireListed(deps.hypervisor, request.vm);
		return { lane: uuid, vm: { uuid, name }, backup: null };
	}
	if ("backup" in request) {
		const { id, vm } = await deps.catalog.findBackup(request.backup);
		// reading files changes no VM; two jobs that write into one directory do it one after the other
		const lane = request.type === "ExtractFiles" ? laneOfDirectory(request.directory) : vm.uuid;
		return { lane, vm, backup: id };
	}
	const { uuid, name } = await requireListed(deps.hypervisor, request.vm);
	return { lane: uuid, vm: { uuid, name }, backup: null };
};

const newJob = (
	deps: JobDeps,
	request: JobRequest,
	subject: Subject,
	plan: Plan | null,
	asked?: string,
): Job => ({
	id: asked ?? deps.ids.uuid(),
	...(asked === undefined ? {} : { asked: true }),
	type: request.type,
	host: deps.host.name,
	vm: subject.vm ?? (plan === null ? null : vmOfPlan(plan)),
	backup: (plan === null ? null : backupOfPlan(plan)) ?? subject.backup,
	state: "waiting",
	reason: "waits for its turn",
	phase: null,
	attempts: 0,
	createdAt: deps.clock.now(),
	scheduledAt: null,
	startedAt: null,
	endedAt: null,
	request: { ...request },
	result: null,
	error: null,
	warnings: [],
});

type Parts = ExecuteParts;

const inRecovery = (job: Job): KnibError => {
	const message = `job ${job.id} was interrupted and is being brought to its end; that cannot be cancelled`;
	return new KnibError("REFUSED", message);
};

/** Refuses at once what waiting would not change; all else is found out when the job's turn comes. */
const assertPossible = async (deps: JobDeps, request: JobRequest): Promise<void> => {
	await makePlan(deps, request).catch((thrown: unknown) => {
		const error = asKnibError(thrown);
		if (error.code === "REFUSED" || error.code === "NOT_FOUND") throw error;
	});
};

async function* watchOne(parts: Parts, id: string, signal: AbortSignal): AsyncGenerator<JobEvent> {
	const stop = new AbortController();
	const events = parts.events.watch(id, AbortSignal.any([signal, stop.signal]));
	const iterator = events[Symbol.asyncIterator]();
	const next = iterator.next();
	try {
		const job = parts.book.find(id);
		yield { type: "job", job: parts.events.view(job) };
		if (isTerminal(job.state)) {
			yield { type: "end", job: parts.events.view(job) };
			return;
		}
		for (let one = await next; one.done !== true; one = await iterator.next()) yield one.value;
	} finally {
		stop.abort();
		await next.catch(() => undefined);
	}
}

/** Opens the journal, the logs and the jobs of this host, and takes up what was left. */
export const createJobService = async (options: JobServiceOptions): Promise<RunningJobService> => {
	const { store, stateDir, onProblem } = options;
	const stopping = new AbortController();
	const book = await openJobBook(store, (id) =>
		onProblem(new Error(`job document ${id} is no job`)),
	);
	const deps: JobDeps = {
		...options.deps,
		overlayIndex: openOverlayIndex(stateDir),
		activities: () => activitiesOf(book.list({})),
	};
	const aftermath = createAftermath({
		deps,
		book,
		queue: (request, after) => {
			const user = `${after.type} ${shortId(after.id)}`;
			return isServiceType(request.type) ? enqueue(request, user) : follow(request, user);
		},
		over: () => services.wake(),
	});
	const parts: Parts = {
		deps,
		book,
		aftermath,
		lanes: createLanes(),
		events: createJobEvents(deps.clock),
		logs: await openJobLogs(`${stateDir}/jobs`, onProblem),
		journal: await openJournal(
			`${stateDir}/journal`,
			options.onJournalLine === undefined ? {} : { onLine: options.onJournalLine },
		),
	};
	const queue = createJobQueue(parts, parts.lanes);
	const services = createServiceQueue(parts, onProblem);
	const waiting = parts.book
		.list({})
		.filter((job) => job.state === "waiting" && !isServiceType(job.type));
	// What another host has asked for is done once: when it had begun and left no journal, it did nothing yet.
	const begun = book.list({ executing: true }).filter(({ asked }) => asked === true);
	let isReady = false;
	const recovery = recoverAll(parts, parts.lanes, { signal: stopping.signal, onProblem });
	const ready = recovery.then(async ({ jobs }) => {
		await sweepValidations(deps, jobs).catch(onProblem);
		const keep = await deps.catalog.setting("jobs.keep", {});
		await parts.book.prune(settingMilliseconds("jobs.keep", keep)).catch(onProblem);
		isReady = true;
		const again = begun.flatMap(({ id }) => book.get(id) ?? []);
		const untouched = again.filter(
			({ state, type }) => state === "waiting" && !isServiceType(type),
		);
		const known = new Set([...waiting, ...untouched].map((job) => job.id));
		const interrupted = book
			.list({ type: "Consolidate" })
			.filter((job) => job.state === "waiting" && !known.has(job.id));
		for (const job of [...interrupted, ...waiting, ...untouched].reverse()) await requeue(job);
		await takeUpLost().catch(onProblem);
		services.open();
	});
	const recovered = Promise.all([ready, recovery.then(({ done }) => done)]).then(() => undefined);
	recovered.catch(onProblem);

	const requeue = async (job: Job): Promise<void> => {
		const request = jobRequestSchema.safeParse(job.request);
		if (!request.success) return;
		const lane = job.vm?.uuid ?? job.id;
		queue.add({ job, request: request.data, lane, plan: null });
	};

	const keep = async (job: Job, user: string): Promise<void> => {
		await book.save(job);
		const text = `asked for by ${user} (as stated)`;
		parts.logs.append(job.id, { at: deps.clock.now(), level: "info", text });
		parts.events.changed(job);
	};

	/** Adds a service job, which waits for its turn in the job book. */
	const enqueue = async (request: JobRequest, user: string, asked?: string): Promise<Job> => {
		const job = newJob(deps, request, await subjectOf(deps, request), null, asked);
		await keep(job, user);
		services.wake();
		return job;
	};

	/** Adds a job of a lane that another job has led to. While knibd takes up what was left it waits in the book only. */
	const follow = async (request: JobRequest, user: string): Promise<Job> => {
		const subject = await subjectOf(deps, request);
		const job = newJob(deps, request, subject, null);
		await keep(job, user);
		if (isReady) queue.add({ job, request, lane: subject.lane, plan: null });
		return job;
	};

	const takeUpLost = async (): Promise<void> => {
		const backups = (await options.backups?.()) ?? [];
		for (const request of lostCompressions(backups, book.list({}), deps.host.name)) {
			await enqueue(request, "knibd, whose job for it was lost");
		}
	};

	/** Going back does not wait until what it throws away has been pulled in. */
	const stopConsolidating = async ({ lane }: Subject): Promise<void> => {
		const going = book
			.list({ type: "Consolidate" })
			.filter((job) => job.vm?.uuid === lane && !isTerminal(job.state));
		for (const job of going) await queue.cancel(job.id);
	};

	const start = async (request: JobRequest, user: string, asked?: string): Promise<Job> => {
		if (isServiceType(request.type)) {
			await assertPossible(deps, request);
			return await enqueue(request, user, asked);
		}
		const subject = await subjectOf(deps, request);
		if (request.type === "Restore" && request.mode === "undo") await stopConsolidating(subject);
		const free = isReady && parts.lanes.holder(subject.lane) === undefined;
		const plan = free ? await planNoted(deps, request) : null;
		const job = newJob(deps, request, subject, plan, asked);
		await keep(job, user);
		if (!isReady) await ready.catch(() => undefined);
		queue.add({ job, request, lane: subject.lane, plan });
		return job;
	};

	/** What could not be started is a job all the same, so that whoever asked hears of it. */
	const refuse = async (
		id: string,
		raw: { readonly type: string },
		thrown: unknown,
		user: string,
	): Promise<void> => {
		const error = viewError(asKnibError(thrown));
		const type = jobTypeSchema.catch("Backup").parse(raw.type);
		const at = deps.clock.now();
		const nothing = { lane: id, vm: null, backup: null };
		const request = jobRequestSchema.safeParse(raw).data;
		const blank = newJob(deps, request ?? { type: "FinishChain", vm: "?" }, nothing, null, id);
		const ended = { state: "failed", reason: error.message, endedAt: at } as const;
		await keep({ ...blank, type, request: { ...raw }, ...ended, error: { ...error } }, user);
	};

	const startAsked: RunningJobService["startAsked"] = async (id, raw, check, user) => {
		if (book.get(id) !== undefined) return;
		try {
			await start(check(), user, id);
		} catch (thrown) {
			if (book.get(id) !== undefined) return;
			if (asKnibError(thrown).code === "LIBVIRT_UNREACHABLE") throw thrown;
			await refuse(id, raw, thrown, user);
		}
	};

	return {
		ready,
		recovered,
		startAsked,
		care: createBackupCare({ deps, lanes: parts.lanes }),
		plan: async (request) => viewPlan(await makePlan(deps, request)),
		start,
		show: async (id) => parts.events.view(parts.book.find(id)),
		list: async (filter) => parts.book.list(filter).map((job) => parts.events.view(job)),
		log: (id) => parts.logs.read(parts.book.find(id).id),
		watch: (id, signal) => watchOne(parts, parts.book.find(id).id, signal),
		watchAll: (signal) => parts.events.watch(null, signal),
		cancel: async (id) => {
			const job = parts.book.find(id);
			if (services.has(job.id)) await services.cancel(job.id);
			else if (queue.has(job.id)) await queue.cancel(job.id);
			else if (job.state === "executing") throw inRecovery(job);
			return parts.events.view(parts.book.find(job.id));
		},
		retry: async (id, user) =>
			start(
				jobRequestSchema.parse(parts.book.find(id).request),
				`${user}, again after ${shortId(id)}`,
			),
		stop: async () => {
			stopping.abort();
			await services.close();
			await queue.close();
			await recovered.catch(() => undefined);
			await parts.logs.flush();
		},
	};
};
