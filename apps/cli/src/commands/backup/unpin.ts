import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe, short } from "../../print/text.ts";

export default class BackupUnpin extends KnibCommand {
	static override summary = "take a backup's pin away";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupUnpin);
		const outcome = await this.connected(flags, ({ api }) =>
			api.backup.unpin.mutate({ ...args, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, (backup) =>
			safe(`backup ${short(backup.id)} of ${backup.vm.name} is not pinned any more`),
		);
	}
}
