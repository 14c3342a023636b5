import { type Job, type JobEvent, type JobRequest, type JobView, KnibError } from "@knib/core";
import type { JobService } from "../../apps/host-daemon/src/jobs/job-service.ts";

/** What becomes of a job: succeeds or fails by itself, or goes on until it is cancelled. */
export type Fate =
	| {
			readonly kind: "succeeds";
			readonly result: Record<string, unknown>;
			readonly warnings?: string[];
			/** A job that follows. */
			readonly next?: JobRequest;
	  }
	| { readonly kind: "fails"; readonly code: string; readonly message: string }
	| { readonly kind: "goes on" };

const AT = "2026-01-02T03:04:05.000Z";
const idOf = (n: number): string => `0196f000-0000-7000-8000-0000000b${String(n).padStart(4, "0")}`;

/** A job service in memory whose jobs do as the test says; every request is kept. */
export const fakeJobService = (fateOf: (request: JobRequest) => Fate) => {
	const jobs = new Map<string, JobView>();
	const fates = new Map<string, Fate>();
	const cancelled = new Map<string, () => void>();
	const requests: JobRequest[] = [];
	const users: string[] = [];

	const find = (id: string): JobView => {
		const job = jobs.get(id);
		if (job === undefined) throw new KnibError("NOT_FOUND", `there is no job ${id}`);
		return job;
	};
	const update = (id: string, change: Partial<JobView>): JobView => {
		const job = { ...find(id), ...change };
		jobs.set(id, job);
		return job;
	};
	const end = async (id: string, fate: Fate): Promise<JobView> => {
		if (fate.kind === "succeeds") {
			const { result, warnings = [] } = fate;
			const next = fate.next === undefined ? [] : [(await service.start(fate.next, "job")).id];
			return update(id, { state: "succeeded", result, warnings, next, endedAt: AT });
		}
		if (fate.kind === "goes on") return update(id, { state: "cancelled", endedAt: AT });
		const error = { code: fate.code, message: fate.message, hint: "as the test says" };
		return update(id, { state: "failed", error, endedAt: AT });
	};

	const service: JobService = {
		plan: async (request) => {
			if (request.type === "Restore" && request.mode === "new" && request.name === "refused") {
				throw new KnibError("REFUSED", "its offering does not allow quick restores");
			}
			return {
				type: request.type,
				reason: "as the test says",
				explain: ["one reason"],
				warnings: [],
				steps: [{ kind: "preflight", text: "looks at the VM" }],
				...(request.type === "Restore" ? { bytes: 3000 } : {}),
			};
		},
		start: async (request, user) => {
			if (request.type === "Backup" && request.vm === "refused") {
				throw new KnibError("AGENT_SILENT", "the agent of refused did not answer");
			}
			const id = idOf(jobs.size + 1);
			const job: JobView = {
				id,
				type: request.type,
				host: "here",
				vm: null,
				backup: null,
				state: "executing",
				reason: null,
				phase: null,
				attempts: 1,
				createdAt: AT,
				scheduledAt: null,
				startedAt: AT,
				endedAt: null,
				result: null,
				error: null,
				warnings: [],
				progress: null,
			};
			jobs.set(id, job);
			fates.set(id, fateOf(request));
			requests.push(request);
			users.push(user);
			const { progress: _, ...stored } = job;
			return { ...stored, request } as Job;
		},
		show: async (id) => find(id),
		list: async () => [...jobs.values()],
		log: async (id) => {
			find(id);
			return [{ at: AT, level: "info", text: "one \u001b[31mline" }];
		},
		watch: async function* (id, signal) {
			yield { type: "job", job: find(id) } satisfies JobEvent;
			const phase = { name: "copy-layer", index: 1, count: 2 };
			const progress = { done: 50, total: 100, unit: "bytes", rate: 10, etaMs: 5000 } as const;
			yield { type: "progress", job: id, phase, progress };
			yield { type: "log", job: id, line: { at: AT, level: "warn", text: "a \u001b[31mremark" } };
			const fate = fates.get(id) ?? { kind: "goes on" };
			if (fate.kind === "goes on" && find(id).state !== "cancelled") {
				await new Promise<void>((resolve) => {
					cancelled.set(id, resolve);
					signal.addEventListener("abort", () => resolve(), { once: true });
				});
			}
			if (!signal.aborted) yield { type: "end", job: await end(id, fate) };
		},
		watchAll: async function* () {
			for (const job of jobs.values()) yield { type: "job", job };
		},
		cancel: async (id) => {
			const job = update(id, { state: "cancelled", endedAt: AT });
			cancelled.get(id)?.();
			return job;
		},
		retry: (id, user) => {
			find(id);
			return service.start(requests[0] ?? { type: "FinishChain", vm: "none" }, user);
		},
	};
	return { service, requests, users };
};
export type FakeJobService = ReturnType<typeof fakeJobService>;
