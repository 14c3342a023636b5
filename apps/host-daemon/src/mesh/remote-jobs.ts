// Jobs that other hosts do for this one: asked for by a signed document, shown as waiting until their host has taken them, followed
// by that host's documents and, while it is connected, live.
import {
	type IntentBody,
	intentBodySchema,
	isTerminal,
	type JobEvent,
	type JobLogLine,
	type JobRequest,
	type JobView,
	jobRequestSchema,
	jobSchema,
	jobTypeSchema,
	KnibError,
	type PlanView,
	type Store,
} from "@knib/core";
import type { ForeignViews } from "./foreign-views.ts";
import { jobEventSchema, jobLogSchema, jobViewSchema, planViewSchema } from "./live-schemas.ts";
import type { MeshService } from "./mesh-service.ts";

type Deps = {
	readonly store: Store;
	readonly peers: Pick<
		MeshService,
		"isConnected" | "isKept" | "lastSeen" | "live" | "nameOf" | "subscribe"
	>;
	readonly views: Pick<ForeignViews, "job" | "jobs" | "problems">;
	readonly self: string;
	readonly now: () => string;
	readonly uuid: () => string;
	readonly onProblem: (error: unknown) => void;
};

export const createRemoteJobs = (deps: Deps) => {
	const { store, peers, views, self, now } = deps;

	const whyWaiting = async ({ target }: IntentBody): Promise<string> => {
		const name = peers.nameOf(target);
		if (peers.isConnected(target)) {
			const why = await views.problems(target);
			return [`waits for host ${name} to take it`, ...why].join("; ");
		}
		if (!peers.isKept(target)) return `waits for host ${name}; other hosts pass the request on`;
		const seen = peers.lastSeen(target);
		return `waits for host ${name}, which has not been reached ${seen === null ? "yet" : `since ${seen}`}`;
	};
	const intentView = async (id: string, intent: IntentBody): Promise<JobView> => ({
		id,
		type: jobTypeSchema.catch("Backup").parse(intent.request.type),
		host: peers.nameOf(intent.target),
		vm: null,
		backup: null,
		state: "waiting",
		reason: await whyWaiting(intent),
		phase: null,
		attempts: 0,
		createdAt: intent.at,
		scheduledAt: null,
		startedAt: null,
		endedAt: null,
		result: null,
		error: null,
		warnings: [],
		progress: null,
	});
	const asked = async (): Promise<readonly { id: string; intent: IntentBody; owner: string }[]> => {
		const all = [...(await store.list("intent")), ...(await store.foreign("intent"))];
		return all.flatMap(({ id, owner, body }) => {
			const intent = intentBodySchema.safeParse(body).data;
			return intent === undefined ? [] : [{ id, intent, owner }];
		});
	};
	/** What was asked is answered by its job: once that has ended nobody needs the question. */
	const settle = async (): Promise<void> => {
		for (const { id, owner } of await asked()) {
			const job = owner === self ? await views.job(id) : undefined;
			if (job !== undefined && isTerminal(job.view.state)) await store.remove("intent", id);
		}
	};
	const stop = store.subscribe("job", ({ document }) => {
		if (document.owner !== self) settle().catch(deps.onProblem);
	});

	const find = async (id: string): Promise<{ view: JobView; owner: string } | undefined> => {
		const job = await views.job(id);
		if (job !== undefined) return job;
		const one = (await asked()).find((known) => known.id === id && known.intent.target !== self);
		return one && { view: await intentView(id, one.intent), owner: one.intent.target };
	};
	const need = async (id: string): Promise<{ view: JobView; owner: string }> => {
		const found = await find(id);
		if (found !== undefined) return found;
		throw new KnibError("NOT_FOUND", `there is no job ${id}`);
	};

	/** Progress and log of the job for as long as its host is connected. */
	const listenLive = (id: string, owner: string, push: (event: JobEvent) => void): (() => void) => {
		let end: (() => void) | undefined;
		const open = (): void => {
			if (end !== undefined || !peers.isConnected(owner)) return;
			end = peers.live(owner).open(
				"job.watch",
				{ job: id },
				{
					item: (value) => {
						const event = jobEventSchema.safeParse(value).data;
						if (event?.type === "progress" || event?.type === "log") push(event);
					},
					end: () => {
						end = undefined;
					},
				},
			);
		};
		open();
		const unsubscribe = peers.subscribe(open);
		const again = store.subscribe("job", ({ document }) => {
			if (document.id === id) open();
		});
		return () => {
			unsubscribe();
			again();
			end?.();
		};
	};

	async function* watch(id: string, signal: AbortSignal): AsyncGenerator<JobEvent> {
		const queue: JobEvent[] = [];
		let wake: () => void = () => undefined;
		const push = (event: JobEvent): void => {
			queue.push(event);
			wake();
		};
		const first = await need(id);
		let last = "";
		const look = async (): Promise<void> => {
			const found = await find(id);
			const view = found?.view ?? {
				...first.view,
				state: "cancelled" as const,
				reason: "it was taken back",
			};
			const text = JSON.stringify(view);
			if (text === last) return;
			last = text;
			push({ type: isTerminal(view.state) ? "end" : "job", job: view });
		};
		const onChange = (): void => void look().catch(deps.onProblem);
		const ends = [
			store.subscribe("job", ({ document }) => document.id === id && onChange()),
			store.subscribe("intent", ({ document }) => document.id === id && onChange()),
			peers.subscribe(onChange),
			listenLive(id, first.owner, push),
		];
		const onAbort = (): void => wake();
		signal.addEventListener("abort", onAbort);
		try {
			await look();
			while (!signal.aborted) {
				const event = queue.shift();
				if (event === undefined) {
					await new Promise<void>((resolve) => {
						wake = resolve;
						if (queue.length > 0 || signal.aborted) resolve();
					});
					continue;
				}
				yield event;
				if (event.type === "end") return;
			}
		} finally {
			signal.removeEventListener("abort", onAbort);
			for (const end of ends) end();
		}
	}

	const ask = async (target: string, request: JobRequest, user: string): Promise<JobView> => {
		const id = deps.uuid();
		const intent: IntentBody = { target, request: { ...request }, user, at: now() };
		await store.put("intent", id, intent);
		return await intentView(id, intent);
	};

	return {
		/** Asks a host for a job; it is durable here when this resolves, and done there once. */
		ask,
		plan: async (target: string, request: JobRequest): Promise<PlanView> =>
			planViewSchema.parse(await peers.live(target).call("job.plan", { request })),
		find,
		list: async (): Promise<readonly JobView[]> => {
			const jobs = await views.jobs();
			const known = new Set(jobs.map(({ id }) => id));
			const open = await Promise.all(
				(await asked())
					.filter(({ id, intent }) => intent.target !== self && !known.has(id))
					.map(({ id, intent }) => intentView(id, intent)),
			);
			return [...open, ...jobs];
		},
		log: async (id: string): Promise<readonly JobLogLine[]> => {
			const { owner } = await need(id);
			return jobLogSchema.parse(await peers.live(owner).call("job.log", { job: id }));
		},
		/** Cancels it on its host; one that its host has not taken yet is taken back. */
		cancel: async (id: string): Promise<JobView> => {
			const { owner, view } = await need(id);
			if ((await views.job(id)) === undefined && (await store.get("intent", id)) !== undefined) {
				await store.remove("intent", id);
				return { ...view, state: "cancelled", reason: "it was taken back before its host took it" };
			}
			return jobViewSchema.parse(await peers.live(owner).call("job.cancel", { job: id }));
		},
		/** Asks the job's host for it again. */
		retry: async (id: string, user: string): Promise<JobView> => {
			const { owner } = await need(id);
			const stored = (await store.foreign("job")).find((one) => one.id === id);
			const job = jobSchema.safeParse(stored?.body).data;
			if (job === undefined) throw new KnibError("REFUSED", `job ${id} has not begun yet`);
			return await ask(owner, jobRequestSchema.parse(job.request), `${user}, again after ${id}`);
		},
		watch,
		settle,
		stop,
	};
};
export type RemoteJobs = ReturnType<typeof createRemoteJobs>;
