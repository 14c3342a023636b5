import { backupArg, backupOfFlag, idOfBackup } from "../../backup-arg.ts";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe, short } from "../../print/text.ts";

export default class BackupUnpin extends KnibCommand {
	static override summary = "take a backup's pin away";
	static override args = {
		backup: backupArg,
	};
	static override flags = { vm: backupOfFlag, "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupUnpin);
		const outcome = await this.connected(flags, async (client) => {
			const backup = await idOfBackup(client, { ...args, vm: flags.vm });
			return await client.api.backup.unpin.mutate({ backup, dryRun: flags["dry-run"] });
		});
		this.showOutcome(flags, outcome, (backup) =>
			safe(`backup ${short(backup.id)} of ${backup.vm.name} is not pinned any more`),
		);
	}
}
