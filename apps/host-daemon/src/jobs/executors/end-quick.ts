// The end of a quick restore: nothing stands on the repository any more.
import type { StepContext } from "../context.ts";
import type { QuickRecord } from "../quick-record.ts";
import { releaseHoldOf } from "./restore-hold.ts";

/** Gives the restore's hold back, then removes the record. Repeatable. Rejects when the repository does not answer: both stay. */
export const endQuick = async (
	context: StepContext,
	path: string,
	record: QuickRecord,
): Promise<void> => {
	const { catalog, images } = context.deps;
	const repository = await catalog.open(record.repository.id);
	await releaseHoldOf(repository, {
		vm: record.source,
		chain: record.chain,
		host: context.deps.host.id,
		job: record.job,
	});
	if (await images.exists(path)) await images.unlink(path);
};
