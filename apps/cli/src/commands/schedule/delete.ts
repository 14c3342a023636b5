import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class ScheduleDelete extends KnibCommand {
	static override summary = "delete a schedule; the backups that it made stay";
	static override args = { schedule: Args.string({ description: "name or id", required: true }) };
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(ScheduleDelete);
		const outcome = await this.connected(flags, ({ api }) =>
			api.schedule.delete.mutate({ ...args, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, ({ name }) => safe(`schedule ${name} is deleted`));
	}
}
