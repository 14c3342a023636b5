import { Flags } from "@oclif/core";
import { backupArg, backupOfFlag, idOfBackup } from "../../backup-arg.ts";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { compressionResult } from "../../print/results.ts";

export default class BackupCompress extends JobCommand {
	static override summary =
		"compress a backup's layers beside the originals, then put them in place; waits for both jobs";
	static override args = {
		backup: backupArg,
	};
	static override flags = {
		...jobFlags,
		vm: backupOfFlag,
		library: Flags.custom<"zstd" | "zlib">({
			summary: "library instead of that of the backup's offering",
			options: ["zstd", "zlib"],
			parse: async (text) => (text === "zlib" ? "zlib" : "zstd"),
		})(),
	};

	protected override readonly carriedOnBy = "FinalizeCompression";

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupCompress);
		const library = flags.library === undefined ? {} : { library: flags.library };
		await this.connected(flags, async (client) => {
			const backup = await idOfBackup(client, { ...args, vm: flags.vm });
			await this.carryOut(
				client,
				flags,
				{ type: "StartCompression", backup, ...library },
				compressionResult,
			);
		});
	}
}
