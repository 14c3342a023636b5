// The plans of compressions and deletions; the union of all plans is in plan.ts.
import type { PlanBase } from "./plan.ts";

/** Phase 1 of a compression: new layers beside the old ones. */
export type CompressionPlan = PlanBase & {
	readonly type: "StartCompression";
	readonly backup: string;
	readonly chain: string;
};

/** Phase 2: the new layers proven and put in the place of the old. */
export type FinalizePlan = PlanBase & {
	readonly type: "FinalizeCompression";
	readonly backup: string;
	readonly chain: string;
};

/** A backup marked as removed, or moved into the trash with the removed ancestors that nothing else needs. */
export type DeletePlan = PlanBase & {
	readonly type: "DeleteBackup";
	readonly backup: string;
	readonly chain: string;
	/** Marked only, since living backups stand on it. */
	readonly soft: boolean;
	/** Ids of what goes into the trash, the newest first; empty for a soft one. */
	readonly sweep: readonly string[];
	/** Why the chain ends; null when it stays as it is. */
	readonly endsChain: string | null;
	/** Id of the child that its data is folded into; absent where it is not. */
	readonly consolidatesInto?: string;
};

/** The files of a repository, or of one chain, re-read. Of a whole repository `vm` is the repository itself: no VM is touched. */
export type VerifyPlan = PlanBase & {
	readonly type: "VerifyRepository";
	/** Null for the repository as a whole. */
	readonly chain: string | null;
};

export type ServicePlan = CompressionPlan | FinalizePlan | DeletePlan;
