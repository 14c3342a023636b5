import { backupArg, backupOfFlag, idOfBackup } from "../../backup-arg.ts";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe, short } from "../../print/text.ts";

export default class BackupPin extends KnibCommand {
	static override summary = "pin a backup: it is never removed, by nobody and no policy";
	static override args = {
		backup: backupArg,
	};
	static override flags = { vm: backupOfFlag, "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupPin);
		const outcome = await this.connected(flags, async (client) => {
			const backup = await idOfBackup(client, { ...args, vm: flags.vm });
			return await client.api.backup.pin.mutate({ backup, dryRun: flags["dry-run"] });
		});
		this.showOutcome(flags, outcome, (backup) =>
			safe(`backup ${short(backup.id)} of ${backup.vm.name} is pinned`),
		);
	}
}
