// What the daemon does with the journals it finds at start, and with backups whose publication nobody knows the outcome of.
import {
	asKnibError,
	changeJob,
	isServiceType,
	type Job,
	KnibError,
	laneOfPlan,
	type RunState,
	recoverRun,
	viewError,
} from "@knib/core";
import { type ExecuteParts, recoverJob, replay } from "./execute-job.ts";
import type { Lanes } from "./lanes.ts";

/** How long to wait before libvirt or a repository is tried again, ms. */
const RETRY_MS = 5_000;

const NEVER = new AbortController().signal;

type Found = { readonly id: string; readonly state: RunState };

const findUnfinished = async (
	parts: ExecuteParts,
	onProblem: (error: KnibError) => void,
): Promise<readonly Found[]> => {
	const found: Found[] = [];
	for (const one of await parts.journal.unfinished()) {
		if ("problem" in one) {
			onProblem(one.problem);
			continue;
		}
		try {
			const state = replay(one.entries);
			// A consolidation may have to wait for long: it is begun again in its VM's lane, as a job that waits.
			if (state === null || state.plan.type === "Consolidate") {
				await (await parts.journal.reopen(one.job)).close();
			} else found.push({ id: one.job, state });
		} catch (thrown) {
			onProblem(asKnibError(thrown));
		}
	}
	return found;
};

const jobOf = (parts: ExecuteParts, found: Found): Job => {
	const kept = parts.book.get(found.id) ?? found.state.job;
	return { ...kept, state: "executing", endedAt: null, error: null };
};

/** A job that had begun but left no journal did nothing yet. */
const failLost = async (parts: ExecuteParts, known: ReadonlySet<string>): Promise<void> => {
	for (const job of parts.book.list({ executing: true })) {
		if (known.has(job.id)) continue;
		const isTakenUp = isServiceType(job.type) || job.type === "Consolidate";
		if (isTakenUp || job["asked"] === true) {
			const reason = "knibd stopped before the job had begun";
			await parts.book.save(changeJob(job, { type: "waits", reason, until: null, free: true }));
			continue;
		}
		const error = viewError(new KnibError("INTERRUPTED", "knibd stopped before the job had begun"));
		await parts.book.save({
			...job,
			state: "failed",
			endedAt: parts.deps.clock.now(),
			phase: null,
			reason: error.message,
			error,
		});
	}
};

const repeatUntilDone = async (
	parts: ExecuteParts,
	found: Found,
	signal: AbortSignal,
): Promise<void> => {
	const job = jobOf(parts, found);
	await parts.book.save(job);
	while (!signal.aborted) {
		try {
			await recoverJob(parts, job, found.state);
			return;
		} catch (thrown) {
			const line = {
				at: parts.deps.clock.now(),
				level: "warn",
				text: `recovery waits: ${asKnibError(thrown).message}`,
			} as const;
			parts.logs.append(job.id, line);
			await parts.deps.clock.sleep(RETRY_MS, signal).catch(() => undefined);
		}
	}
};

/** The order within a lane: what goes back takes the newest layer off first, then the rest goes on, the oldest first. */
const inOrder = (found: readonly Found[]): readonly Found[] => {
	const back = found.filter((one) => recoverRun(one.state) === "back");
	const forward = found.filter((one) => !back.includes(one));
	return [...back.toReversed(), ...forward];
};

/** What an earlier life of the daemon left. */
export type Recovery = {
	/** The jobs that are being ended. */
	readonly jobs: ReadonlySet<string>;
	/** Resolves when all have been ended, or the signal has fired. */
	readonly done: Promise<void>;
};

/** Ends every job that an earlier life of the daemon left. Resolves as soon as each has its VM's lane, or its place in it: from then on new jobs may be taken, which wait behind. Journals that cannot be read are reported and left as they are. */
export const recoverAll = async (
	parts: ExecuteParts,
	lanes: Lanes,
	options: { readonly signal: AbortSignal; readonly onProblem: (error: KnibError) => void },
): Promise<Recovery> => {
	const found = await findUnfinished(parts, options.onProblem);
	const jobs = new Set(found.map((one) => one.id));
	await failLost(parts, jobs);
	const ends = inOrder(found).map((one) =>
		lanes.run(
			laneOfPlan(one.state.plan),
			{ job: one.id, what: "recovery of an interrupted job" },
			{ signal: NEVER, onWait: () => undefined },
			() => repeatUntilDone(parts, one, options.signal),
		),
	);
	return { jobs, done: Promise.all(ends).then(() => undefined) };
};
