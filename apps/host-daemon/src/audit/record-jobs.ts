// How jobs end, as the audit trail keeps it.
import type { JobEvent } from "@knib/core";
import type { AuditLog } from "./audit-log.ts";

/** Follows the jobs of this host until the signal. */
export const recordJobs = async (
	audit: Pick<AuditLog, "append">,
	jobs: { watchAll(signal: AbortSignal): AsyncIterable<JobEvent> },
	signal: AbortSignal,
): Promise<void> => {
	for await (const event of jobs.watchAll(signal)) {
		if (event.type !== "end") continue;
		const { id, type, vm, state, reason, host } = event.job;
		const why = reason === null ? "" : `: ${reason}`;
		audit.append({ kind: "job", who: host, vm, text: `${type} ${state}${why}`, job: id });
	}
};
