import { asKnibError, type JobRequest } from "@knib/core";
import type { JobDeps } from "./context.ts";
import { isOwnTrouble } from "./executors/validation-record.ts";

/** Notes what could not even be planned: a backup whose repository or whose libvirt does not answer is UnableToValidate. Never rejects. */
export const noteUnplanned = async (
	{ catalog }: Pick<JobDeps, "catalog">,
	request: JobRequest,
	thrown: unknown,
): Promise<void> => {
	const error = asKnibError(thrown);
	if (request.type !== "BackupValidation" || !isOwnTrouble(error)) return;
	try {
		const view = await catalog.findBackup(request.backup);
		const text = error.message;
		await catalog.unableToValidate(view.id, text);
		await catalog.alert({ kind: "unable to validate", backup: view.id, vm: view.vm, text });
	} catch {
		// The store or the id: the caller's own error says enough.
	}
};
