import { Args } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { finishResult } from "../../print/results.ts";

export default class ChainFinish extends JobCommand {
	static override summary = "finish a VM's open chain: merge its overlays and end it; also repairs";
	static override args = { vm: Args.string({ description: "name or uuid", required: true }) };
	static override flags = jobFlags;

	async run(): Promise<void> {
		const { flags, args } = await this.parse(ChainFinish);
		await this.connected(flags, (client) =>
			this.carryOut(client, flags, { type: "FinishChain", vm: args.vm }, finishResult),
		);
	}
}
