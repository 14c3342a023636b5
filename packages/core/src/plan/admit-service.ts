// The scheduler of service jobs: which of those that wait may start now, and for each other one the reason (SPEC 7). Pure: limits
// and jobs in, decisions out; the daemon asks again whenever a job ends, comes, or its time has come.

import { shortId } from "../domain/ids.ts";
import type { JobType } from "../domain/job.ts";

/** Jobs that serve a backup after it was made. They do not change the VM; admission orders them against each other. */
export const SERVICE_TYPES = [
	"StartCompression",
	"FinalizeCompression",
	"BackupValidation",
] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];

/** Whether a job is one of the background. */
export const isServiceType = (type: JobType): type is ServiceType =>
	SERVICE_TYPES.some((one) => one === type);

/** Limits of one kind of work; 0 = none. */
export type ServiceLimits = {
	readonly enabled: boolean;
	readonly perHost: number;
	readonly overall: number;
};

/** A service job as the scheduler sees it. */
export type ServiceJob = {
	readonly id: string;
	readonly type: ServiceType;
	/** Uuid of the VM that it is about. */
	readonly vm: string | null;
	readonly createdAt: string;
	/** Not before this instant; null for now. */
	readonly scheduledAt: string | null;
	/** Why it was put off, when it was. */
	readonly reason: string | null;
	/** Hosts that could do it: those that reach the backup's repository. */
	readonly hosts: readonly string[];
};

/** A service job under way. */
export type RunningService = {
	readonly id: string;
	readonly type: ServiceType;
	readonly vm: string | null;
	readonly host: string;
};

export type ServiceFacts = {
	readonly now: string;
	readonly waiting: readonly ServiceJob[];
	readonly running: readonly RunningService[];
	readonly compression: ServiceLimits;
	readonly validation: ServiceLimits;
};

/** What is decided of one waiting job. */
export type ServiceDecision =
	| { readonly id: string; readonly start: true; readonly host: string }
	| {
			readonly id: string;
			readonly start: false;
			readonly reason: string;
			/** The instant before which asking again is idle; null when another job's end decides. */
			readonly until: string | null;
	  };

type Kind = {
	readonly name: "compression" | "validation";
	readonly switch: string;
	readonly limits: ServiceLimits;
};

const kindOf = (type: ServiceType, facts: ServiceFacts): Kind | null => {
	switch (type) {
		case "FinalizeCompression":
			return null;
		case "StartCompression":
			return {
				name: "compression",
				switch: "backup.compression.task.enabled",
				limits: facts.compression,
			};
		case "BackupValidation":
			return {
				name: "validation",
				switch: "backup.validation.task.enabled",
				limits: facts.validation,
			};
	}
};

const wait = (id: string, reason: string, until: string | null = null): ServiceDecision => ({
	id,
	start: false,
	reason,
	until,
});

const load = (host: string, running: readonly RunningService[]): number =>
	running.filter((one) => one.host === host && one.type !== "FinalizeCompression").length;

/** Hosts with the least work first; equal ones by name, so that the choice does not depend on the order of the facts. */
const byLoad = (hosts: readonly string[], running: readonly RunningService[]): readonly string[] =>
	[...hosts].sort((a, b) => load(a, running) - load(b, running) || (a < b ? -1 : 1));

const decide = (
	job: ServiceJob,
	facts: ServiceFacts,
	running: readonly RunningService[],
): ServiceDecision => {
	const rival = running.find((one) => one.vm !== null && one.vm === job.vm);
	const kind = kindOf(job.type, facts);
	if (kind?.limits.enabled === false) return wait(job.id, `${kind.switch} is off`);
	if (job.scheduledAt !== null && job.scheduledAt > facts.now) {
		return wait(job.id, job.reason ?? `waits until ${job.scheduledAt}`, job.scheduledAt);
	}
	if (rival !== undefined) {
		return wait(job.id, `waits for ${rival.type} of the same VM (job ${shortId(rival.id)})`);
	}
	const hosts = byLoad(job.hosts, running);
	const [first] = hosts;
	if (first === undefined) return wait(job.id, "no host reaches the backup's repository");
	if (kind === null) return { id: job.id, start: true, host: first };
	const same = running.filter((one) => one.type === job.type);
	const { overall, perHost } = kind.limits;
	if (overall > 0 && same.length >= overall) {
		return wait(job.id, `waits: ${same.length} of ${overall} ${kind.name}s run on all hosts`);
	}
	const free = hosts.find(
		(host) => perHost === 0 || same.filter((one) => one.host === host).length < perHost,
	);
	if (free === undefined) {
		return wait(
			job.id,
			`waits: ${perHost} of ${perHost} ${kind.name}s run on each host that could`,
		);
	}
	return { id: job.id, start: true, host: free };
};

const inOrder = (a: ServiceJob, b: ServiceJob): number => {
	const finalA = a.type === "FinalizeCompression" ? 0 : 1;
	const finalB = b.type === "FinalizeCompression" ? 0 : 1;
	if (finalA !== finalB) return finalA - finalB;
	return `${a.createdAt} ${a.id}` < `${b.createdAt} ${b.id}` ? -1 : 1;
};

/** Decides every waiting job: finalise jobs first, since they free space and are short; then in the order they came. */
export const admitServices = (facts: ServiceFacts): readonly ServiceDecision[] => {
	const running = [...facts.running];
	const decisions: ServiceDecision[] = [];
	for (const job of [...facts.waiting].sort(inOrder)) {
		const decision = decide(job, facts, running);
		if (decision.start) {
			running.push({ id: job.id, type: job.type, vm: job.vm, host: decision.host });
		}
		decisions.push(decision);
	}
	return decisions;
};
