import { Args, Flags } from "@oclif/core";
import { backupArg, backupOfFlag } from "../../backup-arg.ts";
import { KnibCommand } from "../../base-command.ts";
import { WARNINGS } from "../../exit-code.ts";
import { diskFlags } from "../../files-flags.ts";
import { filesText } from "../../print/files.ts";

export default class FilesList extends KnibCommand {
	static override summary =
		"list the file systems of a disk in a backup, or the files of a directory";
	static override args = {
		backup: backupArg,
		path: Args.string({
			description:
				"directory or file; absent: the root, or the file systems where there are several",
		}),
	};
	static override flags = {
		...diskFlags,
		disk: Flags.string({ summary: "disk, such as vda", helpValue: "D", required: true }),
		vm: backupOfFlag,
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(FilesList);
		const view = await this.connected(flags, ({ api }) =>
			api.files.list.query({
				backup: args.backup,
				disk: flags.disk,
				...(flags.vm === undefined ? {} : { vm: flags.vm }),
				...(flags.partition === undefined ? {} : { partition: flags.partition }),
				...(args.path === undefined ? {} : { path: args.path }),
			}),
		);
		this.show(flags, view, filesText);
		if (view.truncated) {
			this.note(`warning: only the first ${view.files.length} of ${view.total} files are listed`);
			process.exitCode = WARNINGS;
		}
	}
}
