import { Args } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { verifyResult } from "../../print/results.ts";
import { rateFlag, rateOf, shareFlag, shareOf } from "../../verify-flags.ts";

export default class RepositoryVerify extends JobCommand {
	static override summary =
		"re-read the files of a repository's backups: digests, images, links between layers";
	static override args = {
		repository: Args.string({ description: "name or id; not needed where there is only one" }),
	};
	static override flags = { ...jobFlags, share: shareFlag, rate: rateFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RepositoryVerify);
		const part = { ...shareOf(flags.share), ...rateOf(flags.rate) };
		await this.connected(flags, (client) =>
			this.carryOut(
				client,
				flags,
				{
					type: "VerifyRepository",
					...(args.repository === undefined ? {} : { repository: args.repository }),
					...part,
				},
				verifyResult,
			),
		);
	}
}
