import { Args } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { finishResult } from "../../print/results.ts";
import { safe } from "../../print/text.ts";

export default class VmUnassign extends JobCommand {
	static override summary = "take a VM out of its offering: finishes its chain, keeps its backups";
	static override args = { vm: Args.string({ description: "name or uuid", required: true }) };
	static override flags = jobFlags;

	async run(): Promise<void> {
		const { flags, args } = await this.parse(VmUnassign);
		await this.connected(flags, async (client) => {
			const dryRun = flags["dry-run"];
			const outcome = await client.api.vm.unassign.mutate({ ...args, dryRun });
			const job = outcome.done ? outcome.result.job : null;
			if (job !== null && flags.wait)
				await this.follow(client, flags, async () => job, finishResult);
			else {
				this.showOutcome(flags, outcome, (vm) =>
					safe(
						`${vm.name} is under the default offering${vm.job === null ? "" : `; job ${vm.job}`}`,
					),
				);
			}
		});
	}
}
