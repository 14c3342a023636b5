import { resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import { backupArg, backupOfFlag } from "../../backup-arg.ts";
import { jobFlags } from "../../base-command.ts";
import { diskFlags } from "../../files-flags.ts";
import { JobCommand } from "../../job-command.ts";
import { extractResult } from "../../print/files.ts";

export default class FilesExtract extends JobCommand {
	static override summary = "bring files and directories out of a backup into a directory";
	static override strict = false;
	static override args = {
		backup: backupArg,
		path: Args.string({
			description: "files and directories, as `files list` shows them; one or more",
			required: true,
		}),
	};
	static override flags = {
		...jobFlags,
		...diskFlags,
		disk: Flags.string({ summary: "disk, such as vda", helpValue: "D", required: true }),
		output: Flags.string({
			char: "o",
			summary: "directory that gets them; made when its parent is there",
			helpValue: "DIR",
			required: true,
		}),
		overwrite: Flags.boolean({ summary: "replace files that are there", default: false }),
		vm: backupOfFlag,
	};

	async run(): Promise<void> {
		const { flags, args, argv } = await this.parse(FilesExtract);
		const paths = argv.map(String).slice(1);
		await this.connected(flags, async (client) => {
			const vm = flags.vm === undefined ? {} : { vm: flags.vm };
			const backup = await client.api.backup.show.query({ backup: args.backup, ...vm });
			await this.carryOut(
				client,
				flags,
				{
					type: "ExtractFiles",
					backup: backup.id,
					disk: flags.disk,
					...(flags.partition === undefined ? {} : { partition: flags.partition }),
					paths,
					directory: resolve(flags.output),
					overwrite: flags.overwrite,
				},
				extractResult,
			);
		});
	}
}
