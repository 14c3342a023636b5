// Backups whose publication nobody knows the outcome of (SAFETY F17). Both overlays stay, and the journal with them, until the
// repository answers; then the run goes on where it stood, through the same code as after a crash.
import { asKnibError, type Job } from "@knib/core";
import { type ExecuteParts, recoverJob, replay } from "./execute-job.ts";

/** Asks the repository again about every unconfirmed backup of a VM. What still has no answer stays as it is. True when there was one: facts read before are old. */
export const resolveUnconfirmed = async (parts: ExecuteParts, vm: string): Promise<boolean> => {
	let any = false;
	for (const one of await parts.journal.unfinished()) {
		if ("problem" in one) continue;
		const job = parts.book.get(one.job);
		if (job === undefined || !isUnconfirmed(job, vm)) continue;
		any = true;
		try {
			const state = replay(one.entries);
			if (state === null) continue;
			await recoverJob(parts, { ...job, state: "executing", endedAt: null, error: null }, state);
		} catch (thrown) {
			const text = `still unconfirmed: ${asKnibError(thrown).message}`;
			parts.logs.append(job.id, { at: parts.deps.clock.now(), level: "warn", text });
		}
	}
	return any;
};

const isUnconfirmed = (job: Job, vm: string): boolean =>
	job.vm?.uuid === vm && job.state === "failed";
