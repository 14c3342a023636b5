// Jobs of a shown host: as many as wanted, some of which report all the time.
import { setTimeout as sleep } from "node:timers/promises";
import {
	type Job,
	type JobEvent,
	type JobRequest,
	type JobView,
	KnibError,
	type Vm,
} from "@knib/core";
import type { JobService } from "../../../apps/host-daemon/src/jobs/job-service.ts";
import { idOf } from "./facts.ts";

const TYPES = ["Backup", "StartCompression", "BackupValidation", "FinalizeCompression"] as const;
const REPORT_MS = 250;
const TOTAL = 4 * 2 ** 30;

/** How many jobs there are, and how many of them run. */
export type ShowJobs = { readonly count: number; readonly reporting: number; readonly now: number };

const jobOf = (vms: readonly Vm[], n: number, { count, reporting, now }: ShowJobs): JobView => {
	const vm = vms[n % Math.max(1, vms.length)];
	const at = new Date(now - (count - n) * 180_000).toISOString();
	const runs = n >= count - reporting;
	const failed = !runs && n % 50 === 7;
	return {
		id: idOf("d0", n),
		type: TYPES[n % TYPES.length] ?? "Backup",
		host: "here",
		vm: vm === undefined ? null : { uuid: vm.uuid, name: vm.name },
		backup: null,
		state: runs ? "executing" : failed ? "failed" : "succeeded",
		reason: null,
		phase: runs ? { name: "copy-layer", index: 7, count: 12 } : null,
		attempts: 1,
		createdAt: at,
		scheduledAt: null,
		startedAt: at,
		endedAt: runs ? null : new Date(now - (count - n) * 180_000 + 95_000).toISOString(),
		result: null,
		error: failed
			? {
					code: "REPOSITORY_NO_SPACE",
					message: "the repository main is full",
					hint: "free space in it",
				}
			: null,
		warnings: [],
		progress: runs
			? { done: TOTAL / 10, total: TOTAL, unit: "bytes", rate: 110 * 2 ** 20, etaMs: 33_000 }
			: null,
	};
};

const progressOf = (job: JobView, round: number, n: number): JobEvent => {
	const rate = (90 + 40 * Math.sin(round / 5 + n)) * 2 ** 20;
	const done = (TOTAL / 10 + round * 2 ** 24 + n * 2 ** 26) % TOTAL;
	const etaMs = ((TOTAL - done) / rate) * 1000;
	const progress = { done, total: TOTAL, unit: "bytes", rate, etaMs } as const;
	return { type: "progress", job: job.id, phase: job.phase, progress };
};

/** A job service that never does anything but tell. A job that is started runs for ever. */
export const showJobService = (vms: readonly Vm[], options: ShowJobs): JobService => {
	const jobs = new Map<string, JobView>();
	for (let n = 0; n < options.count; n++) {
		const job = jobOf(vms, n, options);
		jobs.set(job.id, job);
	}
	const running = () => [...jobs.values()].filter((job) => job.state === "executing");
	const show = async (id: string): Promise<JobView> => {
		const job = jobs.get(id);
		if (job === undefined) throw new KnibError("NOT_FOUND", `there is no job ${id}`);
		return job;
	};
	const service: JobService = {
		plan: async (request) => ({
			type: request.type,
			reason: "incremental: 3 of 8 in the chain",
			explain: ["the overlay of vda is the one that was created"],
			warnings: [],
			steps: [
				{ kind: "preflight", text: "looks at the VM again" },
				{ kind: "copy-layer", text: "copies the layer of vda to the repository main" },
			],
		}),
		start: async (request: JobRequest) => {
			const id = idOf("d1", jobs.size);
			const seen = jobOf(vms, 0, { ...options, count: 1, reporting: 1 });
			const job: JobView = { ...seen, id, type: request.type };
			jobs.set(id, job);
			return { ...job, request } as unknown as Job;
		},
		show,
		list: async () => [...jobs.values()],
		log: async (id) => [
			{ at: (await show(id)).createdAt, level: "info", text: "took the lease, fencing number 7" },
			{ at: (await show(id)).createdAt, level: "warn", text: "an odd \u001b[31mremark" },
		],
		watch: async function* (id) {
			yield { type: "job", job: await show(id) };
		},
		watchAll: async function* (signal) {
			for (let round = 0; !signal.aborted; round++) {
				for (const [n, job] of running().entries()) yield progressOf(job, round, n);
				await sleep(REPORT_MS, undefined, { signal }).catch(() => undefined);
			}
		},
		cancel: async (id) => {
			const job: JobView = { ...(await show(id)), state: "cancelled" };
			jobs.set(id, job);
			return job;
		},
		retry: async (id) => {
			throw new KnibError("NOT_FOUND", `job ${id} cannot be tried again here`);
		},
	};
	return service;
};
