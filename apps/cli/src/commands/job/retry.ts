import { Args, Flags } from "@oclif/core";
import { JobCommand } from "../../job-command.ts";
import { resultOf } from "../../print/results.ts";

export default class JobRetry extends JobCommand {
	static override summary = "make a new attempt at a failed or cancelled job";
	static override args = {
		job: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = {
		wait: Flags.boolean({ summary: "wait until the job has ended", allowNo: true, default: true }),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(JobRetry);
		await this.connected(flags, async (client) => {
			this.lines = flags.json && flags.wait;
			const job = await client.api.job.retry.mutate(args);
			if (flags.wait) await this.follow(client, flags, async () => job.id, resultOf(job.type));
			else this.show(flags, job, ({ id }) => id);
		});
	}
}
