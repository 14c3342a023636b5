import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe, short } from "../../print/text.ts";

export default class JobCancel extends KnibCommand {
	static override summary = "stop a job and undo what it began; returns when that is done";
	static override args = {
		job: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(JobCancel);
		const dry = flags["dry-run"];
		const job = await this.connected(flags, ({ api }) =>
			dry ? api.job.show.query(args) : api.job.cancel.mutate(args),
		);
		const would = dry ? "would be cancelled, now " : "";
		this.show(flags, job, (view) => safe(`job ${short(view.id)}: ${would}${view.state}`));
	}
}
