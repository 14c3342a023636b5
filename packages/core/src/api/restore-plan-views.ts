// What `knib restore plan` prints: the plan of a dry run, and what became of each entry.
import type { ErrorView } from "../errors.ts";
import type { RestoreEstimate } from "../plan/estimate-restores.ts";
import type { PlanView } from "./views.ts";

/** What an entry is about. */
type EntryView = {
	readonly name: string;
	readonly mode: "new" | "in-place";
	/** The VM that was backed up. */
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly backup: string;
	readonly after: readonly string[];
	readonly priority: number;
};

/** What a dry run prints. Entries stand in the order in which they start. */
export type RestorePlanPreview = {
	readonly parallel: number;
	readonly entries: readonly (EntryView & {
		readonly plan: PlanView;
		readonly estimate: RestoreEstimate;
		/** Ms from the beginning; the least where `exact` is false. */
		readonly startMs: number;
		readonly exact: boolean;
	})[];
	/** Ms for all of it, if every restore succeeds; the least where `exact` is false. */
	readonly totalMs: number;
	readonly exact: boolean;
};

/** An error of a job; the code may be one of another version. */
export type RestorePlanError = Omit<ErrorView, "code"> & { readonly code: string };

/** How an entry ended. `result` is what `restore new` or `restore vm` prints; null where there is none. */
export type RestorePlanOutcome = EntryView & {
	readonly state: "done" | "failed" | "skipped";
	/** Why it failed or was skipped, in words. */
	readonly reason: string | null;
	readonly job: string | null;
	readonly result: Readonly<Record<string, unknown>> | null;
	readonly error: RestorePlanError | null;
	readonly warnings: readonly string[];
};

/** What the command prints: entries in the order in which they start. */
export type RestorePlanResult = { readonly entries: readonly RestorePlanOutcome[] };
