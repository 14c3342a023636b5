import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe, short } from "../../print/text.ts";

export default class BackupUndelete extends KnibCommand {
	static override summary =
		"bring a deleted backup back, with all that went into the trash together with it";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupUndelete);
		const outcome = await this.connected(flags, ({ api }) =>
			api.backup.undelete.mutate({ ...args, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, (backup) =>
			safe(`backup ${short(backup.id)} of ${backup.vm.name} is back`),
		);
	}
}
