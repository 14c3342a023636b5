// How commands are told which backup is meant.

import type { KnibClient } from "@knib/host-daemon/client";
import { Args, Flags } from "@oclif/core";

/** The argument of every command that takes a backup. */
export const backupArg = Args.string({
	description: "id, or 4 or more of its first or last digits; `latest` with --vm",
	required: true,
});

/** The flag beside it. */
export const backupOfFlag = Flags.string({ summary: "VM that the backup is of", helpValue: "VM" });

type Named = { readonly backup: string; readonly vm?: string | undefined };

/** What the daemon takes for the backup that is meant: a VM's newest one is looked up, an id or a part of one is not. Rejects with NOT_FOUND, AMBIGUOUS_ID, USAGE. */
export const idOfBackup = async ({ api }: KnibClient, { backup, vm }: Named): Promise<string> => {
	if (vm === undefined && backup !== "latest") return backup;
	const view = await api.backup.show.query({ backup, ...(vm === undefined ? {} : { vm }) });
	return view.id;
};
