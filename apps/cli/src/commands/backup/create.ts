import { Args, Flags } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { backupResult } from "../../print/results.ts";

const many = (summary: string, helpValue: string) =>
	Flags.string({ summary, helpValue, multiple: true, multipleNonGreedy: true, delimiter: "," });

export default class BackupCreate extends JobCommand {
	static override summary =
		"back a VM up: full or incremental as its chain asks for, with the reason";
	static override args = { vm: Args.string({ description: "name or uuid", required: true }) };
	static override flags = {
		...jobFlags,
		isolated: Flags.boolean({
			summary: "a full backup of its own that leaves the chain as it is",
			default: false,
		}),
		quiesce: Flags.boolean({
			summary: "freeze the guest's file systems around the snapshot, through its agent",
			default: false,
		}),
		disk: many("only this disk", "vdX"),
		"exclude-disk": many("all but this disk", "vdX"),
		label: Flags.string({
			summary: "label of the backup",
			multiple: true,
			multipleNonGreedy: true,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupCreate);
		await this.connected(flags, (client) =>
			this.carryOut(
				client,
				flags,
				{
					type: "Backup",
					vm: args.vm,
					isolated: flags.isolated,
					quiesce: flags.quiesce,
					disks: flags.disk ?? [],
					excludeDisks: flags["exclude-disk"] ?? [],
					labels: flags.label ?? [],
				},
				backupResult,
			),
		);
	}
}
