import { Args } from "@oclif/core";
import { JobCommand } from "../../job-command.ts";
import { resultOf } from "../../print/results.ts";

export default class JobWatch extends JobCommand {
	static override summary = "follow a job to its end; an interrupt only stops following";
	static override args = {
		job: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(JobWatch);
		await this.connected(flags, async (client) => {
			this.lines = flags.json;
			const { id, type } = await client.api.job.show.query(args);
			await this.follow(client, flags, async () => id, resultOf(type), false);
		});
	}
}
