import { KnibError, scheduleCreateInputSchema } from "@knib/core";
import { Args, Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { checked } from "../../check-input.ts";
import { scheduleText } from "../../print/schedule.ts";
import { cronText, scheduleFieldsOf, scheduleFlags } from "../../schedule-flags.ts";

export default class ScheduleCreate extends KnibCommand {
	static override summary = "back VMs up by themselves; every host does so for the VMs that it has";
	static override args = { name: Args.string({ description: "its name", required: true }) };
	static override flags = {
		...scheduleFlags,
		cron: Flags.string({ ...cronText, required: true }),
		"dry-run": dryRunFlag,
	};
	static override examples = [
		'<%= config.bin %> schedule create nightly --cron "30 2 * * *" --vm "web*"',
	];

	async run(): Promise<void> {
		const { flags, args } = await this.parse(ScheduleCreate);
		const { vm, tag, retention, ...fields } = scheduleFieldsOf(flags);
		if (vm === undefined && typeof tag !== "string") {
			throw new KnibError("USAGE", "say which VMs: --vm GLOB, --tag TAG, or both");
		}
		const which = { vm: vm ?? "*", ...(typeof tag === "string" ? { tag } : {}) };
		const rules = retention === null ? {} : { retention };
		const given = { ...fields, ...which, ...rules, name: args.name, dryRun: flags["dry-run"] };
		const input = checked(scheduleCreateInputSchema, given);
		const outcome = await this.connected(flags, ({ api }) => api.schedule.create.mutate(input));
		this.showOutcome(flags, outcome, scheduleText);
	}
}
