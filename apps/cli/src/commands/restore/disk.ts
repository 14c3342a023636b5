import { Args, Flags } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { diskResult } from "../../print/results.ts";

export default class RestoreDisk extends JobCommand {
	static override summary = "restore one disk of a backup as a new disk of a VM, running or not";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits; `latest` with --vm",
			required: true,
		}),
		disk: Args.string({ description: "disk of the backup, such as vdb", required: true }),
	};
	static override flags = {
		...jobFlags,
		to: Flags.string({ summary: "VM that gets the disk", helpValue: "VM", required: true }),
		target: Flags.string({
			summary: "name of the disk in that VM; absent: the first one that is free",
			helpValue: "vdX",
		}),
		vm: Flags.string({ summary: "VM that the backup is of", helpValue: "VM" }),
		quick: Flags.boolean({
			summary:
				"attach it at once over the repository's layers, and pull these in while the VM runs",
			default: false,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RestoreDisk);
		await this.connected(flags, async (client) => {
			const vm = flags.vm === undefined ? {} : { vm: flags.vm };
			const backup = await client.api.backup.show.query({ backup: args.backup, ...vm });
			const { to, target, quick } = flags;
			const request = {
				type: "RestoreDisk",
				backup: backup.id,
				disk: args.disk,
				vm: to,
				...(target === undefined ? {} : { target }),
				quick,
			} as const;
			await this.carryOut(client, flags, request, diskResult);
		});
	}
}
