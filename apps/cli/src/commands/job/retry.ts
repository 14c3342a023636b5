import { Args, Flags } from "@oclif/core";
import { dryRunFlag } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { resultOf } from "../../print/results.ts";
import { short } from "../../print/text.ts";

export default class JobRetry extends JobCommand {
	static override summary = "make a new attempt at a failed or cancelled job";
	static override args = {
		job: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = {
		"dry-run": dryRunFlag,
		wait: Flags.boolean({ summary: "wait until the job has ended", allowNo: true, default: true }),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(JobRetry);
		await this.connected(flags, async (client) => {
			if (flags["dry-run"]) {
				const { id, type, state } = await client.api.job.show.query(args);
				const would = state === "failed" || state === "cancelled";
				const text = would
					? "its request would be made again"
					: "it has not failed: nothing would be done";
				this.show(flags, { id, type, state, would }, () => `job ${short(id)} is ${state}: ${text}`);
				return;
			}
			this.lines = flags.json && flags.wait;
			const job = await client.api.job.retry.mutate(args);
			if (flags.wait) await this.follow(client, flags, async () => job.id, resultOf(job.type));
			else this.show(flags, job, ({ id }) => id);
		});
	}
}
