import { Args } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { verifyResult } from "../../print/results.ts";
import { rateFlag, rateOf } from "../../verify-flags.ts";

export default class ChainVerify extends JobCommand {
	static override summary = "re-read the files of a chain: digests, images, links between layers";
	static override args = {
		chain: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = { ...jobFlags, rate: rateFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(ChainVerify);
		const rate = rateOf(flags.rate);
		await this.connected(flags, (client) =>
			this.carryOut(
				client,
				flags,
				{ type: "VerifyRepository", chain: args.chain, ...rate },
				verifyResult,
			),
		);
	}
}
