import { Args, Flags } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { restoreResult } from "../../print/results.ts";

export default class RestoreVm extends JobCommand {
	static override summary = "restore a backup over the disks of its VM; the old disks are kept";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits; `latest` with --vm",
			required: true,
		}),
	};
	static override flags = {
		...jobFlags,
		vm: Flags.string({ summary: "VM that the backup is of", helpValue: "VM" }),
		shutdown: Flags.boolean({ summary: "shut the VM down when it runs", default: false }),
		start: Flags.boolean({ summary: "start the VM afterwards", default: false }),
		quick: Flags.boolean({
			summary: "start it at once over the repository's layers, and pull these in while it runs",
			default: false,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RestoreVm);
		await this.connected(flags, async (client) => {
			const vm = flags.vm === undefined ? {} : { vm: flags.vm };
			const backup = await client.api.backup.show.query({ backup: args.backup, ...vm });
			const { shutdown, start, quick } = flags;
			const request = {
				type: "Restore",
				mode: "in-place",
				backup: backup.id,
				shutdown,
				start,
				quick,
			} as const;
			await this.carryOut(client, flags, request, restoreResult);
		});
	}
}
