import { Args, Flags } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { deleteResult } from "../../print/results.ts";

export default class BackupDelete extends JobCommand {
	static override summary =
		"delete a backup: hidden while others stand on it, else into the repository's trash";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = {
		...jobFlags,
		consolidate: Flags.boolean({
			summary:
				"take it out for real although others stand on it: its data is folded into its child",
			default: false,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupDelete);
		await this.connected(flags, (client) =>
			this.carryOut(
				client,
				flags,
				{ type: "DeleteBackup", backup: args.backup, consolidate: flags.consolidate },
				deleteResult,
			),
		);
	}
}
