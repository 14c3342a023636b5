// What an operator can have done, as data: the call, the command line that does the same, and what to beware of.
import type { JobRequestInput } from "@knib/core";
import { short } from "@knib/core/text";

/** A call that is no job request. */
export type Change =
	| { readonly call: "pin" | "unpin" | "undelete"; readonly backup: string }
	| { readonly call: "cancel" | "retry"; readonly job: string }
	| { readonly call: "rescan"; readonly repository: string }
	| { readonly call: "set"; readonly name: string; readonly value: string }
	| { readonly call: "unset"; readonly name: string }
	| { readonly call: "assign"; readonly vm: string; readonly offering: string };

export type Act = {
	/** What happens, with the object's name: `delete backup 1234abcd of web01`. */
	readonly title: string;
	/** The command line that does the same. */
	readonly cli: string;
	/** What it means, in words. */
	readonly consequences: readonly string[];
	/** The word to type before it is done; null where enter is enough. */
	readonly word: string | null;
	readonly does:
		| { readonly kind: "job"; readonly request: JobRequestInput }
		| { readonly kind: "change"; readonly change: Change };
};

/** A word as a shell takes it. */
export const quoted = (word: string): string =>
	/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** An act that starts a job. */
export const jobAct = (
	title: string,
	cli: string,
	request: JobRequestInput,
	consequences: readonly string[] = [],
	word: string | null = null,
): Act => ({ title, cli, consequences, word, does: { kind: "job", request } });

/** An act that changes something at once. */
export const changeAct = (
	title: string,
	cli: string,
	change: Change,
	consequences: readonly string[] = [],
	word: string | null = null,
): Act => ({ title, cli, consequences, word, does: { kind: "change", change } });

type Named = { readonly id: string; readonly vm: { readonly name: string } };
const nameOf = (backup: Named): string => `backup ${short(backup.id)} of ${backup.vm.name}`;

/** Deletes a backup. */
export const deleteAct = (backup: Named): Act =>
	jobAct(
		`delete ${nameOf(backup)}`,
		`knib backup delete ${short(backup.id)}`,
		{ type: "DeleteBackup", backup: backup.id },
		[
			"it can no longer be restored from the lists; backups that stand on it keep its data",
			`undo while it is in the trash: knib backup undelete ${short(backup.id)}`,
		],
		short(backup.id),
	);

/** Acts on a backup that start a job and take no options. */
export const backupJobAct = (verb: "validate" | "compress", backup: Named): Act => {
	const type = verb === "validate" ? "BackupValidation" : "StartCompression";
	const cli = `knib backup ${verb} ${short(backup.id)}`;
	return jobAct(`${verb} ${nameOf(backup)}`, cli, { type, backup: backup.id });
};

/** Pins, unpins or brings back a backup. */
export const markAct = (call: "pin" | "unpin" | "undelete", backup: Named): Act =>
	changeAct(`${call} ${nameOf(backup)}`, `knib backup ${call} ${short(backup.id)}`, {
		call,
		backup: backup.id,
	});
