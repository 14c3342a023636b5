// Which jobs follow a job that has succeeded (SPEC 4.1, 4.3, 5.1). Pure: the queue adds what it returns.
import { z } from "zod";
import type { JobRequest, JobRequestInput } from "../api/job-request.ts";
import { jobRequestSchema } from "../api/job-request.ts";
import { offeringFieldsSchema } from "../domain/offering.ts";
import type { Outcomes } from "../machine/journal-entry.ts";
import type { Plan } from "./plan.ts";

const { compress, compressWhen, validate } = offeringFieldsSchema.shape;

/** What an offering says of the jobs after a backup, as a manifest keeps it. */
export const followUpPolicySchema = z.object({ compress, compressWhen, validate });
export type FollowUpPolicy = z.infer<typeof followUpPolicySchema>;

/** What decides them. */
export type FollowUpFacts = {
	readonly plan: Pick<Plan, "type"> & {
		readonly backup?: string;
		readonly quick?: boolean;
		/** Uuid of the restored VM. */
		readonly uuid?: string;
	};
	readonly outcomes: Pick<Outcomes, "compressed" | "manifest">;
	/** The policy of the offering that the backup was taken under. */
	readonly offering: FollowUpPolicy;
};

const request = (input: JobRequestInput): JobRequest => jobRequestSchema.parse(input);

const validation = (backup: string, offering: FollowUpFacts["offering"]): readonly JobRequest[] =>
	offering.validate ? [request({ type: "BackupValidation", backup })] : [];

/** The requests that follow, in the order in which they are queued. */
export const followUps = (facts: FollowUpFacts): readonly JobRequest[] => {
	const { plan, offering } = facts;
	const { backup } = plan;
	if (backup === undefined) return [];
	switch (plan.type) {
		case "Backup":
			return offering.compress && offering.compressWhen === "after"
				? [request({ type: "StartCompression", backup })]
				: validation(backup, offering);
		case "StartCompression": {
			const kept = facts.outcomes.compressed?.some((layer) => layer.kept) === true;
			return kept
				? [request({ type: "FinalizeCompression", backup })]
				: validation(backup, offering);
		}
		case "FinalizeCompression":
			return facts.outcomes.manifest !== undefined ? validation(backup, offering) : [];
		case "BackupValidation":
		case "DeleteBackup":
		case "ExtractFiles":
		case "FinishChain":
		case "MergeOverlays":
		case "VerifyRepository":
		case "Consolidate":
			return [];
		case "Restore":
			return plan.quick === true && plan.uuid !== undefined
				? [request({ type: "Consolidate", vm: plan.uuid })]
				: [];
	}
};
