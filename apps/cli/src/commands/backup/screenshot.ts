import { writeFile } from "node:fs/promises";
import { Flags } from "@oclif/core";
import { backupArg, backupOfFlag } from "../../backup-arg.ts";
import { KnibCommand } from "../../base-command.ts";
import { instant, safe } from "../../print/text.ts";

export default class BackupScreenshot extends KnibCommand {
	static override summary = "fetch the screen that a backup showed in its last validation, as PNG";
	static override args = {
		backup: backupArg,
	};
	static override flags = {
		vm: backupOfFlag,
		output: Flags.string({
			char: "o",
			summary: "file to write; an existing one is replaced",
			helpValue: "FILE",
			required: true,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupScreenshot);
		const vm = flags.vm === undefined ? {} : { vm: flags.vm };
		const { png, ...screen } = await this.connected(flags, ({ api }) =>
			api.backup.screenshot.query({ backup: args.backup, ...vm }),
		);
		const bytes = Buffer.from(png, "base64");
		await writeFile(flags.output, bytes);
		const result = { ...screen, file: flags.output, size: bytes.length };
		this.show(flags, result, () => safe(`${flags.output}: screen of ${instant(screen.at)}`));
	}
}
