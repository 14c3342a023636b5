// What an operator can have done, as data: the call, the command line that does the same, and what to beware of.
import type {
	JobRequestInput,
	OfferingChanges,
	PeerView,
	ScheduleCreateInput,
	SelectorCreateInput,
} from "@knib/core";
import { short } from "@knib/core/text";

/** A call that is no job request. */
export type Change =
	| { readonly call: "pin" | "unpin" | "undelete"; readonly backup: string }
	| { readonly call: "cancel" | "retry"; readonly job: string }
	| { readonly call: "rescan"; readonly repository: string }
	| { readonly call: "set"; readonly name: string; readonly value: string; readonly scope: Scope }
	| { readonly call: "unset"; readonly name: string; readonly scope: Scope }
	| { readonly call: "assign"; readonly vm: string; readonly offering: string }
	| { readonly call: "unassign"; readonly vm: string }
	| {
			readonly call: "set-vm";
			readonly vm: string;
			readonly values: Readonly<Record<string, string>>;
	  }
	| {
			readonly call: "create-offering";
			readonly name: string;
			readonly fields: OfferingFieldsInput;
	  }
	| {
			readonly call: "update-offering";
			readonly offering: string;
			readonly changes: OfferingChanges;
	  }
	| { readonly call: "clone-offering"; readonly offering: string; readonly name: string }
	| { readonly call: "delete-offering"; readonly offering: string }
	| {
			readonly call: "add-repository";
			readonly name: string;
			readonly path: string;
			readonly default: boolean;
	  }
	| { readonly call: "remove-repository"; readonly repository: string }
	| { readonly call: "invite"; readonly role: PeerView["role"] }
	| { readonly call: "join"; readonly code: string }
	| { readonly call: "role"; readonly peer: string; readonly role: PeerView["role"] }
	| { readonly call: "remove-peer"; readonly peer: string }
	| { readonly call: "rotate-key" }
	| { readonly call: "create-schedule"; readonly fields: ScheduleFieldsInput }
	| { readonly call: "delete-schedule"; readonly schedule: string }
	| { readonly call: "create-selector"; readonly fields: Omit<SelectorCreateInput, "dryRun"> }
	| { readonly call: "delete-selector"; readonly selector: string };

/** Where a setting is set; neither means the cluster. */
export type Scope = { readonly host?: string; readonly vm?: string };
/** What a new offering is given; what is absent has its default. */
export type OfferingFieldsInput = Omit<Partial<NonNullableFields<OfferingChanges>>, "name">;
/** What a new schedule is given. */
export type ScheduleFieldsInput = Pick<ScheduleCreateInput, "name" | "cron" | "vm" | "isolated"> &
	Partial<Pick<ScheduleCreateInput, "timezone" | "tag">>;
type NonNullableFields<T> = { [K in keyof T]: NonNullable<T[K]> };

export type Act = {
	/** What happens, with the object's name: `delete backup 1234abcd of web01`. */
	readonly title: string;
	/** The command line that does the same. */
	readonly cli: string;
	/** What it means, in words. */
	readonly consequences: readonly string[];
	/** The word to type before it is done; null where enter is enough. */
	readonly word: string | null;
	/** The command line that takes it back, where there is one. */
	readonly undo: string | null;
	readonly does:
		| { readonly kind: "job"; readonly request: JobRequestInput }
		| { readonly kind: "change"; readonly change: Change };
};

/** A word as a shell takes it. */
export const quoted = (word: string): string =>
	/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

type More = Pick<Act, "consequences" | "word" | "undo">;
const NOTHING_MORE: More = { consequences: [], word: null, undo: null };

/** An act that starts a job. */
export const jobAct = (
	title: string,
	cli: string,
	request: JobRequestInput,
	more: Partial<More> = {},
): Act => ({ title, cli, ...NOTHING_MORE, ...more, does: { kind: "job", request } });

/** An act that changes something at once. */
export const changeAct = (
	title: string,
	cli: string,
	change: Change,
	more: Partial<More> = {},
): Act => ({ title, cli, ...NOTHING_MORE, ...more, does: { kind: "change", change } });

type Named = { readonly id: string; readonly vm: { readonly name: string } };
const nameOf = (backup: Named): string => `backup ${short(backup.id)} of ${backup.vm.name}`;

/** Takes a backup out of the middle of its chain. */
export const consolidateAct = (backup: Named): Act =>
	jobAct(
		`take ${nameOf(backup)} out of its chain`,
		`knib backup delete ${short(backup.id)} --consolidate`,
		{ type: "DeleteBackup", backup: backup.id, consolidate: true },
		{
			consequences: [
				"its data is folded into the backup that stands on it, which is then the only one with it",
			],
			word: short(backup.id),
		},
	);

/** Deletes a backup. */
export const deleteAct = (backup: Named): Act =>
	jobAct(
		`delete ${nameOf(backup)}`,
		`knib backup delete ${short(backup.id)}`,
		{ type: "DeleteBackup", backup: backup.id },
		{
			consequences: [
				"it can no longer be restored from the lists; backups that stand on it keep its data",
			],
			word: short(backup.id),
			undo: `knib backup undelete ${short(backup.id)}, while it is in the trash`,
		},
	);

/** Acts on a backup that start a job and take no options. */
export const backupJobAct = (verb: "validate" | "compress", backup: Named): Act => {
	const type = verb === "validate" ? "BackupValidation" : "StartCompression";
	const cli = `knib backup ${verb} ${short(backup.id)}`;
	return jobAct(`${verb} ${nameOf(backup)}`, cli, { type, backup: backup.id });
};

const UNDONE_BY = { pin: "unpin", unpin: "pin", undelete: "delete" } as const;

/** Pins, unpins or brings back a backup. */
export const markAct = (call: "pin" | "unpin" | "undelete", backup: Named): Act =>
	changeAct(
		`${call} ${nameOf(backup)}`,
		`knib backup ${call} ${short(backup.id)}`,
		{ call, backup: backup.id },
		{ undo: `knib backup ${UNDONE_BY[call]} ${short(backup.id)}` },
	);
