import { Args, Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { schedulePreviewText } from "../../print/schedule.ts";

export default class SchedulePreview extends KnibCommand {
	static override summary = "show a schedule's next runs and the VMs of this host that it backs up";
	static override args = { schedule: Args.string({ description: "name or id", required: true }) };
	static override flags = {
		count: Flags.integer({ summary: "how many runs", default: 5, min: 1, max: 1000 }),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SchedulePreview);
		const preview = await this.connected(flags, ({ api }) =>
			api.schedule.preview.query({ ...args, count: flags.count }),
		);
		this.show(flags, preview, schedulePreviewText);
	}
}
