// What `knib retention` prints.
import type { RetentionPolicy } from "../plan/plan-retention.ts";

/** A restore point and what retention makes of it. */
export type RetentionPointView = {
	readonly id: string;
	readonly chain: string | null;
	readonly kind: string | null;
	/** The offering that it was taken under. */
	readonly offering: string | null;
	/** The schedule by which it is judged; null where its offering's rules count. */
	readonly schedule: string | null;
	/** The rules by which it is judged; null where they keep everything. */
	readonly policy: RetentionPolicy | null;
	readonly pointInTime: string;
	readonly size: number;
	readonly keep: boolean;
	readonly reasons: readonly string[];
};

/** One VM's restore points, the newest first. */
export type RetentionView = {
	readonly vm: { readonly uuid: string; readonly name: string };
	readonly backups: readonly RetentionPointView[];
};

/** What `retention apply` did: the deletions that it asked for, and those that were refused. */
export type RetentionApplied = {
	readonly vms: readonly RetentionView[];
	readonly jobs: readonly { readonly backup: string; readonly job: string }[];
	readonly refused: readonly { readonly backup: string; readonly reason: string }[];
};
