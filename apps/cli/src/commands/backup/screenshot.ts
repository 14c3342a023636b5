import { writeFile } from "node:fs/promises";
import { Args, Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { instant, safe } from "../../print/text.ts";

export default class BackupScreenshot extends KnibCommand {
	static override summary = "fetch the screen that a backup showed in its last validation, as PNG";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits; `latest` with --vm",
			required: true,
		}),
	};
	static override flags = {
		vm: Flags.string({ summary: "VM that it is of", helpValue: "VM" }),
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
