import { type BackupView, type Job, type JobRequest, jobRequestSchema } from "@knib/core";

/** Statuses that only a job leaves. */
const UNDER_WAY: readonly string[] = ["Compressing", "FinalizingCompression"];

/** Phase 2 for the compressions of this host that no job carries on, such as after the store was lost: it puts in place what is there, and clears the mark where nothing is. */
export const lostCompressions = (
	backups: readonly Pick<BackupView, "id" | "host" | "compressionStatus">[],
	jobs: readonly Pick<Job, "backup" | "endedAt">[],
	host: string,
): readonly JobRequest[] =>
	backups
		.filter((view) => view.host === host && UNDER_WAY.includes(view.compressionStatus))
		.filter(({ id }) => !jobs.some((job) => job.backup === id && job.endedAt === null))
		.map(({ id }) => jobRequestSchema.parse({ type: "FinalizeCompression", backup: id }));
