import { type JobType, KnibError, settingMilliseconds } from "@knib/core";
import type { JobDeps } from "./context.ts";

/** The longest time a Node timer can wait, ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A validation has its limits in its steps. */
const LIMITS = {
	StartCompression: "backup.compression.timeout",
	FinalizeCompression: "backup.compression.timeout",
} as const satisfies Partial<Record<JobType, string>>;

const limitOf = (type: JobType) =>
	type === "StartCompression" || type === "FinalizeCompression"
		? LIMITS[type]
		: ("backup.timeout" as const);

/** A signal with its timer. */
export type TimeLimit = { readonly signal: AbortSignal; readonly clear: () => void };

/** Fires with DEADLINE when a job of this type takes longer than its setting allows, unless it is cleared before. */
export const timeLimit = async (
	deps: Pick<JobDeps, "catalog">,
	type: JobType,
	vm: string,
): Promise<TimeLimit> => {
	// The VM depends on the repository until it is done: there is nothing that giving up would bring.
	if (type === "Consolidate") {
		return { signal: new AbortController().signal, clear: () => undefined };
	}
	const name = limitOf(type);
	const limit = settingMilliseconds(name, await deps.catalog.setting(name, { vm }));
	const controller = new AbortController();
	const timer = setTimeout(
		() => {
			const message = `the job took longer than ${name} (${limit / 1000} s)`;
			controller.abort(new KnibError("DEADLINE", message));
		},
		Math.min(limit, LONGEST_TIMER),
	);
	timer.unref();
	return { signal: controller.signal, clear: () => clearTimeout(timer) };
};
