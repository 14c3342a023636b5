// What may happen to a backup, its chain and its VM now, and why not (I8). One pure function answers planners, the scheduler, the
// command line and peers; it knows jobs by what they do to backups, never by who asks.
import type { BackupView } from "../api/views.ts";
import type { Chain } from "../domain/chain.ts";
import { shortId } from "../domain/ids.ts";
import type { JobType } from "../domain/job.ts";

/** What can be asked for a backup. */
export type Action =
	| "restore"
	| "validate"
	| "compress"
	| "finalize"
	| "delete"
	| "consolidate"
	| "undelete"
	| "pin";

/** What a running job does, as a sentence says it: "it is being …". */
const DOING = {
	Backup: "backed up",
	StartCompression: "compressed",
	FinalizeCompression: "finalized after its compression",
	BackupValidation: "validated",
	Restore: "restored",
	RestoreDisk: "restored",
	Consolidate: "pulled into a running VM",
	DeleteBackup: "deleted",
	FinishChain: "finished",
	MergeOverlays: "rid of extra layers",
	ExtractFiles: "read for its files",
	VerifyRepository: "verified",
} as const satisfies Record<JobType, string>;

/** A job that is being carried out. */
export type Activity = {
	readonly type: JobType;
	readonly job: string;
	/** Uuid of the VM whose backups it is about; null when it is about none. */
	readonly vm: string | null;
	readonly backup: string | null;
	/** An isolated backup stands on nothing. */
	readonly isolated: boolean;
};

/** One backup of a chain as far as admission is concerned. */
export type AdmissionMember = {
	readonly id: string;
	readonly parent: string | null;
	/** As a view shows it: `BackedUp`, `Removed`, `Failed`, … */
	readonly status: string;
	readonly pinned: boolean;
	readonly compression: string;
};

/** What the verdicts rest on. */
export type AdmissionFacts = {
	readonly vm: string;
	/** All members of the backup's chain. */
	readonly members: readonly AdmissionMember[];
	/** The chain takes no further backup. */
	readonly ended: boolean;
	readonly activities: readonly Activity[];
	/** Who holds the chain in its repository, in words. */
	readonly holds: readonly string[];
	/** The job that asks; it does not stand in its own way. */
	readonly self?: string;
};

/** Why something cannot be done now. BACKUP_BUSY passes by itself, REFUSED does not. */
export type Obstacle = { readonly code: "BACKUP_BUSY" | "REFUSED"; readonly reason: string };

const busy = (reason: string): Obstacle => ({ code: "BACKUP_BUSY", reason });
const refused = (reason: string): Obstacle => ({ code: "REFUSED", reason });

/** The backups that one stands on, the nearest first. */
export const ancestorsOf = (
	id: string,
	members: readonly AdmissionMember[],
): readonly AdmissionMember[] => {
	const found: AdmissionMember[] = [];
	let parent = members.find((member) => member.id === id)?.parent ?? null;
	while (parent !== null && found.length < members.length) {
		const member = members.find((one) => one.id === parent);
		if (member === undefined) break;
		found.push(member);
		parent = member.parent;
	}
	return found;
};

/** The backups that stand on one, directly or not. */
export const descendantsOf = (
	id: string,
	members: readonly AdmissionMember[],
): readonly AdmissionMember[] =>
	members.filter((member) => ancestorsOf(member.id, members).some((one) => one.id === id));

type Relation = "self" | "ancestor" | "descendant";
type Related = ReadonlyMap<string, Relation>;

const relate = (id: string, facts: AdmissionFacts, relations: readonly Relation[]): Related => {
	const all = new Map<string, Relation>([[id, "self"]]);
	if (relations.includes("ancestor")) {
		for (const one of ancestorsOf(id, facts.members)) all.set(one.id, "ancestor");
	}
	if (relations.includes("descendant")) {
		for (const one of descendantsOf(id, facts.members)) all.set(one.id, "descendant");
	}
	return all;
};

const subjectOf = (backup: string, relation: Relation): string =>
	relation === "self" ? "it" : `its ${relation} ${shortId(backup)}`;

const others = (facts: AdmissionFacts): readonly Activity[] =>
	facts.activities.filter((one) => one.job !== facts.self);

const inUse = (
	id: string,
	facts: AdmissionFacts,
	types: readonly JobType[],
	relations: readonly Relation[],
): readonly Obstacle[] => {
	const related = relate(id, facts, relations);
	return others(facts).flatMap((one) => {
		const relation = one.backup === null ? undefined : related.get(one.backup);
		if (one.backup === null || relation === undefined || !types.includes(one.type)) return [];
		const who = subjectOf(one.backup, relation);
		return [busy(`${who} is being ${DOING[one.type]} (job ${shortId(one.job)})`)];
	});
};

const held = (facts: AdmissionFacts): readonly Obstacle[] =>
	facts.holds.map((who) => busy(`its chain is held: ${who}`));

/** A running backup of the VM may copy onto the newest member of its open chain, and so stands on all of it. */
const extended = (facts: AdmissionFacts): readonly Obstacle[] => {
	const running = facts.ended
		? undefined
		: others(facts).find((one) => one.type === "Backup" && one.vm === facts.vm && !one.isolated);
	if (running === undefined) return [];
	return [busy(`a running backup of its VM stands on its chain (job ${shortId(running.job)})`)];
};

const READERS: readonly JobType[] = [
	"BackupValidation",
	"Restore",
	"RestoreDisk",
	"Consolidate",
	"ExtractFiles",
];
const WRITERS: readonly JobType[] = ["StartCompression", "FinalizeCompression", "DeleteBackup"];

const notReadable = (member: AdmissionMember): readonly Obstacle[] => {
	if (member.status === "BackedUp" || member.status === "Restoring") return [];
	return [refused(`it is ${member.status}`)];
};

const compressible = (member: AdmissionMember): readonly Obstacle[] =>
	member.compression === "Compressed" ? [refused("it is compressed already")] : [];

const removable = (member: AdmissionMember): readonly Obstacle[] => [
	...(member.pinned ? [refused("it is pinned")] : []),
	...(member.status === "Removed" ? [refused("it is removed already")] : notReadable(member)),
];

/** Why an action on a backup cannot be begun now; empty when it can. What is refused for good comes first. */
export const admit = (action: Action, id: string, facts: AdmissionFacts): readonly Obstacle[] => {
	const member = facts.members.find((one) => one.id === id);
	if (member === undefined) return [refused("it is in no chain of this repository")];
	switch (action) {
		case "restore":
			return [...notReadable(member), ...inUse(id, facts, ["DeleteBackup"], [])];
		case "validate":
			return [
				...notReadable(member),
				...inUse(id, facts, ["DeleteBackup"], []),
				...inUse(id, facts, ["FinalizeCompression"], ["ancestor"]),
			];
		case "compress":
			return [
				...notReadable(member),
				...compressible(member),
				...inUse(id, facts, WRITERS, []),
				...inUse(id, facts, ["DeleteBackup"], ["ancestor"]),
			];
		case "finalize":
			return [
				...notReadable(member),
				...inUse(id, facts, [...READERS, "DeleteBackup"], ["descendant"]),
				...inUse(id, facts, ["StartCompression", "FinalizeCompression"], []),
				...inUse(id, facts, ["DeleteBackup"], ["ancestor"]),
				...extended(facts),
				...held(facts),
			];
		case "delete":
			return [
				...removable(member),
				...inUse(id, facts, [...WRITERS, ...READERS], ["ancestor", "descendant"]),
				...extended(facts),
				...held(facts),
			];
		case "consolidate":
			return [
				...(member.pinned ? [refused("it is pinned")] : []),
				...(member.status === "Removed" ? [] : notReadable(member)),
				...inUse(id, facts, [...WRITERS, ...READERS], ["ancestor", "descendant"]),
				...extended(facts),
				...held(facts),
			];
		case "undelete":
			return member.status === "Removed"
				? inUse(id, facts, ["DeleteBackup"], [])
				: [refused("it is not removed")];
		case "pin":
			return member.status === "Removed"
				? [refused("it is removed: bring it back first")]
				: inUse(id, facts, ["DeleteBackup"], []);
	}
};

/** An action that cannot be done now, with the reasons, as `backup show` and `chain show` print it. */
export type BlockedAction = { readonly action: string; readonly reason: string };

const SHOWN: readonly Action[] = ["restore", "validate", "compress", "delete", "pin"];

const blockedBy = (action: Action, obstacles: readonly Obstacle[]): readonly BlockedAction[] => {
	const reasons = [...new Set(obstacles.map((one) => one.reason))];
	return reasons.length === 0 ? [] : [{ action, reason: reasons.join("; ") }];
};

/** What cannot be done with a backup now, and why. `finalize` is shown while a compressed layer waits for it. */
export const blockedActions = (id: string, facts: AdmissionFacts): readonly BlockedAction[] => {
	const waits = facts.members.find((one) => one.id === id)?.compression;
	const actions: readonly Action[] =
		waits === "Compressing" || waits === "FinalizingCompression" ? [...SHOWN, "finalize"] : SHOWN;
	return actions.flatMap((action) => blockedBy(action, admit(action, id, facts)));
};

/** What cannot be done with a chain now: taking a further backup, and the deletion of its members. */
export const blockedOfChain = (
	facts: AdmissionFacts,
	endReason: string | null,
): readonly BlockedAction[] => [
	...(endReason === null
		? []
		: [{ action: "extend", reason: `the chain has ended: ${endReason}` }]),
	...facts.members.flatMap(({ id }) =>
		blockedBy("delete", admit("delete", id, facts)).map(({ action, reason }) => ({
			action: `${action} ${shortId(id)}`,
			reason,
		})),
	),
];

/** The members of a chain as read from its repository. */
export const membersOfChain = (chain: Chain): readonly AdmissionMember[] =>
	chain.members.map(({ manifest, marks }) => ({
		id: manifest.identity.id,
		parent: manifest.parent?.id ?? null,
		status: marks.removed === null ? "BackedUp" : "Removed",
		pinned: marks.pinned !== null,
		compression: marks.compression.status,
	}));

/** The members of a chain as the view has them. */
export const membersOfViews = (
	views: readonly Pick<BackupView, "id" | "parent" | "status" | "pinned" | "compressionStatus">[],
): readonly AdmissionMember[] =>
	views.map(({ id, parent, status, pinned, compressionStatus }) => ({
		id,
		parent,
		status,
		pinned,
		compression: compressionStatus,
	}));

/** What the executing jobs do. `isolated` is read from the request where there is one. */
export const activitiesOf = (
	jobs: readonly {
		readonly id: string;
		readonly type: JobType;
		readonly state: string;
		readonly vm: { readonly uuid: string } | null;
		readonly backup: string | null;
		readonly request?: Readonly<Record<string, unknown>>;
	}[],
): readonly Activity[] =>
	jobs
		.filter((job) => job.state === "executing")
		.map((job) => ({
			type: job.type,
			job: job.id,
			vm: job.vm?.uuid ?? null,
			backup: job.backup,
			isolated: job.request?.["isolated"] === true,
		}));
