// The queue of service jobs: compressions and validations. Which of them may start is decided by a pure scheduler in core; here the
// facts are read, what may start is started, and the others say what they wait for. Waiting jobs live in the job book alone, so a
// restart loses none.
import {
	admitServices,
	asKnibError,
	isServiceType,
	type Job,
	jobRequestSchema,
	KnibError,
	type ServiceDecision,
	type ServiceFacts,
	type ServiceJob,
	type ServiceLimits,
	type ServiceType,
} from "@knib/core";
import { type ExecuteParts, executePlan } from "./execute-job.ts";
import { planNoted } from "./make-plan.ts";
import { endEarly, saveAndTell } from "./save-change.ts";
import { timeLimit } from "./time-limit.ts";

/** How often settings are looked at again while jobs wait, ms. */
const LOOK_MS = 30_000;

export interface ServiceQueue {
	/** Looks at what waits; called when a job comes, ends, or waits again. */
	wake(): void;
	/** Takes jobs from now on. */
	open(): void;
	/** Whether a job is one of this queue's that has not ended. */
	has(job: string): boolean;
	/** Asks a job to stop and resolves when it has ended. */
	cancel(job: string): Promise<void>;
	/** Takes no more, interrupts what runs, which waits again, and resolves when all of it is undone. */
	close(): Promise<void>;
}

type Service = Job & { readonly type: ServiceType };

const isService = (job: Job): job is Service => isServiceType(job.type);

const limitsOf = async (
	parts: ExecuteParts,
	kind: "compression" | "validation",
): Promise<ServiceLimits> => {
	const { catalog } = parts.deps;
	return {
		enabled: await catalog.setting(`backup.${kind}.task.enabled`, {}),
		perHost: await catalog.setting(`backup.${kind}.max.concurrent.operations.per.host`, {}),
		overall: await catalog.setting(`backup.${kind}.max.concurrent.operations`, {}),
	};
};

/** A "not now" is asked again as soon as another job has ended; a retry waits for its time. */
const asWaiting = (job: Service, host: string, eager: ReadonlySet<string>): ServiceJob => ({
	id: job.id,
	type: job.type,
	vm: job.vm?.uuid ?? null,
	createdAt: job.createdAt,
	scheduledAt: eager.has(job.id) ? null : job.scheduledAt,
	reason: job.reason,
	hosts: [host],
});

export const createServiceQueue = (
	parts: ExecuteParts,
	onProblem: (error: unknown) => void,
): ServiceQueue => {
	const { deps, book } = parts;
	const running = new Map<
		string,
		{ readonly stop: AbortController; readonly end: Promise<void> }
	>();
	/** Jobs that were told "not now", to be asked again when another job ends. */
	const putOff = new Set<string>();
	let eager: ReadonlySet<string> = new Set();
	let isOpen = false;
	let turn: Promise<void> = Promise.resolve();
	let alarm = new AbortController();

	const services = (): readonly Service[] => book.list({}).filter(isService);

	const gather = async (): Promise<ServiceFacts> => {
		const jobs = services();
		const under = (job: Job): boolean => job.state === "executing" || running.has(job.id);
		return {
			now: deps.clock.now(),
			waiting: jobs
				.filter((job) => job.state === "waiting" && !running.has(job.id))
				.map((job) => asWaiting(job, deps.host.name, eager)),
			running: jobs
				.filter(under)
				.map(({ id, type, vm, host }) => ({ id, type, vm: vm?.uuid ?? null, host })),
			compression: await limitsOf(parts, "compression"),
			validation: await limitsOf(parts, "validation"),
		};
	};

	const attempt = async (job: Job, signal: AbortSignal): Promise<void> => {
		const at = deps.clock.now();
		let current = await saveAndTell(parts, job, { type: "starts", at });
		try {
			const request = jobRequestSchema.parse(job.request);
			const plan = await planNoted(deps, request, job.id);
			signal.throwIfAborted();
			current = { ...current, vm: plan.vm, scheduledAt: null };
			await book.save(current);
			const limit = await timeLimit(deps, job.type, plan.vm.uuid);
			const either = AbortSignal.any([signal, limit.signal]);
			await executePlan(parts, current, plan, either, false).finally(limit.clear);
		} catch (thrown) {
			const error = asKnibError(thrown);
			const change = await parts.aftermath?.failed(book.get(job.id) ?? current, error);
			if (change === undefined || change === null) await endEarly(parts, job.id, error);
			else await saveAndTell(parts, book.get(job.id) ?? current, change);
		}
	};

	const start = (job: Job): void => {
		const stop = new AbortController();
		const free = book.get(job.id)?.attempts ?? 0;
		const end = attempt(job, stop.signal)
			.catch(onProblem)
			.finally(() => {
				running.delete(job.id);
				const after = book.get(job.id);
				// Told "not now": it has not used up an attempt.
				if (after?.state === "waiting" && after.attempts === free) putOff.add(job.id);
				wake();
			});
		running.set(job.id, { stop, end });
	};

	const explain = async (id: string, reason: string): Promise<void> => {
		const job = book.get(id);
		if (job === undefined || job.state !== "waiting" || job.reason === reason) return;
		await saveAndTell(parts, job, { type: "waits", reason, until: job.scheduledAt });
	};

	/** How long a decision may stand before it is asked again, ms; null for a job that was started. */
	const carryOut = async (decision: ServiceDecision, now: string): Promise<number | null> => {
		const job = book.get(decision.id);
		if (job === undefined || !isOpen) return null;
		if (decision.start) {
			putOff.delete(job.id);
			start(job);
			return null;
		}
		await explain(job.id, decision.reason);
		if (decision.until === null) return LOOK_MS;
		return Math.max(0, Date.parse(decision.until) - Date.parse(now));
	};

	const look = async (): Promise<void> => {
		if (!isOpen) return;
		const facts = await gather();
		eager = new Set();
		const times: number[] = [];
		for (const decision of admitServices(facts)) {
			const wait = await carryOut(decision, facts.now);
			if (wait !== null) times.push(wait);
		}
		setAlarm(times);
	};

	/** One timer: the next time that something waits for. */
	const setAlarm = (times: readonly number[]): void => {
		alarm.abort();
		alarm = new AbortController();
		if (times.length === 0) return;
		const wait = Math.min(LOOK_MS, ...times);
		deps.clock.sleep(wait, alarm.signal).then(queueLook, () => undefined);
	};

	const queueLook = (): void => {
		turn = turn.then(look).catch(onProblem);
	};

	const wake = (): void => queueLook();

	return {
		wake: () => {
			eager = new Set(putOff);
			wake();
		},
		open: () => {
			isOpen = true;
			wake();
		},
		has: (id) => {
			const job = book.get(id);
			return job !== undefined && isService(job) && job.endedAt === null;
		},
		cancel: async (id) => {
			const reason = new KnibError("CANCELLED", "the job was cancelled on request");
			const one = running.get(id);
			one?.stop.abort(reason);
			await one?.end;
			const job = book.get(id);
			if (job?.state !== "waiting") return;
			await parts.aftermath?.failed(job, reason);
			await endEarly(parts, id, reason);
			wake();
		},
		close: async () => {
			isOpen = false;
			alarm.abort();
			const stopped = new KnibError(
				"INTERRUPTED",
				"knibd was stopped; the job goes on when it is back",
			);
			for (const one of running.values()) one.stop.abort(stopped);
			await Promise.allSettled([...running.values()].map((one) => one.end));
			await turn;
		},
	};
};
