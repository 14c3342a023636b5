import { KnibError, scheduleChangesSchema } from "@knib/core";
import { Args, Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { checked } from "../../check-input.ts";
import { scheduleText } from "../../print/schedule.ts";
import { cronText, scheduleFieldsOf, scheduleFlags } from "../../schedule-flags.ts";

export default class ScheduleUpdate extends KnibCommand {
	static override summary = "change fields of a schedule; what is not named stays";
	static override args = { schedule: Args.string({ description: "name or id", required: true }) };
	static override flags = {
		...scheduleFlags,
		cron: Flags.string(cronText),
		name: Flags.string({ summary: "its new name", helpValue: "NAME" }),
		"dry-run": dryRunFlag,
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(ScheduleUpdate);
		const name = flags.name === undefined ? {} : { name: flags.name };
		const changes = checked(scheduleChangesSchema, { ...scheduleFieldsOf(flags), ...name });
		if (Object.keys(changes).length === 0) {
			throw new KnibError("USAGE", "nothing to change: name at least one field");
		}
		const outcome = await this.connected(flags, ({ api }) =>
			api.schedule.update.mutate({ ...args, changes, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, scheduleText);
	}
}
