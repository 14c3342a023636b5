import { Args, Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { WARNINGS } from "../../exit-code.ts";
import { diskFlags } from "../../files-flags.ts";
import { filesLogText } from "../../print/files.ts";
import { safe, short } from "../../print/text.ts";

export default class FilesLog extends KnibCommand {
	static override summary = "tell in which backups of a VM a file differs";
	static override args = {
		vm: Args.string({ description: "name or uuid", required: true }),
		path: Args.string({ description: "file or directory", required: true }),
	};
	static override flags = {
		...diskFlags,
		disk: Flags.string({
			summary: "disk, such as vda; absent: the first that holds the path",
			helpValue: "D",
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(FilesLog);
		const view = await this.connected(flags, ({ api }) =>
			api.files.log.query({
				...args,
				...(flags.disk === undefined ? {} : { disk: flags.disk }),
				...(flags.partition === undefined ? {} : { partition: flags.partition }),
			}),
		);
		this.show(flags, view, filesLogText);
		for (const { backup, reason } of view.skipped) {
			this.note(`warning: backup ${short(backup)} was not looked into: ${safe(reason)}`);
		}
		if (view.skipped.length > 0) process.exitCode = WARNINGS;
	}
}
