import { Flags } from "@oclif/core";
import { backupArg, backupOfFlag, idOfBackup } from "../../backup-arg.ts";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { deleteResult } from "../../print/results.ts";

export default class BackupDelete extends JobCommand {
	static override summary =
		"delete a backup: hidden while others stand on it, else into the repository's trash";
	static override args = {
		backup: backupArg,
	};
	static override flags = {
		...jobFlags,
		vm: backupOfFlag,
		consolidate: Flags.boolean({
			summary:
				"take it out for real although others stand on it: its data is folded into its child",
			default: false,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupDelete);
		await this.connected(flags, async (client) => {
			const backup = await idOfBackup(client, { ...args, vm: flags.vm });
			await this.carryOut(
				client,
				flags,
				{ type: "DeleteBackup", backup, consolidate: flags.consolidate },
				deleteResult,
			);
		});
	}
}
