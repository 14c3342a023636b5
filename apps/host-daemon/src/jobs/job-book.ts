import { type Job, type JobFilter, jobSchema, KnibError, matchIds, type Store } from "@knib/core";

/** The jobs of this host: all of them in memory, each durable in the store before a change counts. */
export interface JobBook {
	save(job: Job): Promise<void>;
	get(id: string): Job | undefined;
	/** The one job that a part of an id names. Rejects with NOT_FOUND or AMBIGUOUS_ID. */
	find(text: string): Job;
	list(filter: JobFilter): readonly Job[];
	/** Removes jobs that ended `keepMs` or more before the newest job was made. Measured from job to job, so that a clock that jumps removes nothing. */
	prune(keepMs: number): Promise<void>;
}

const matches = (job: Job, filter: JobFilter): boolean =>
	(filter.id === undefined || job.id === filter.id) &&
	(filter.type === undefined || job.type === filter.type) &&
	(filter.host === undefined || job.host === filter.host) &&
	(filter.vm === undefined || job.vm?.uuid === filter.vm || job.vm?.name === filter.vm) &&
	(filter.backup === undefined || (job.backup?.includes(filter.backup) ?? false)) &&
	(filter.executing !== true || job.state === "executing") &&
	(filter.scheduled !== true || (job.state === "waiting" && job.scheduledAt !== null));

/** Reads the jobs that the store holds. A document that is no job is passed over and reported. */
export const openJobBook = async (
	store: Store,
	onProblem: (id: string) => void,
): Promise<JobBook> => {
	const jobs = new Map<string, Job>();
	for (const document of await store.list("job")) {
		const parsed = jobSchema.safeParse(document.body);
		if (parsed.success) jobs.set(parsed.data.id, parsed.data);
		else onProblem(document.id);
	}
	return {
		save: async (job) => {
			jobs.set(job.id, job);
			await store.put("job", job.id, job);
		},
		get: (id) => jobs.get(id),
		find: (text) => {
			const found = matchIds([...jobs.values()], text, (job) => job.id);
			const [first, second] = found;
			if (first === undefined) throw new KnibError("NOT_FOUND", `there is no job ${text}`);
			if (second !== undefined) {
				throw new KnibError("AMBIGUOUS_ID", `${text} matches ${found.length} jobs`, {
					details: { candidates: found.map((job) => job.id) },
				});
			}
			return first;
		},
		list: (filter) =>
			[...jobs.values()]
				.filter((job) => matches(job, filter))
				.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)),
		prune: async (keepMs) => {
			const newest = Math.max(...[...jobs.values()].map((job) => Date.parse(job.createdAt)));
			const before = newest - keepMs;
			// As long as somebody's request for it is known the job says that it was done.
			const asked = new Set((await store.foreign("intent")).map(({ id }) => id));
			for (const job of jobs.values()) {
				if (job.endedAt === null || Date.parse(job.endedAt) >= before || asked.has(job.id))
					continue;
				jobs.delete(job.id);
				await store.remove("job", job.id);
			}
		},
	};
};
