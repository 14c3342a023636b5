import { Args, Flags } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { compressionResult } from "../../print/results.ts";

export default class BackupCompress extends JobCommand {
	static override summary =
		"compress a backup's layers beside the originals, then put them in place; waits for both jobs";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = {
		...jobFlags,
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
		await this.connected(flags, (client) =>
			this.carryOut(
				client,
				flags,
				{ type: "StartCompression", backup: args.backup, ...library },
				compressionResult,
			),
		);
	}
}
