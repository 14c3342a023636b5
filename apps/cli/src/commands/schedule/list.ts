import { KnibCommand } from "../../base-command.ts";
import { schedulesText } from "../../print/schedule.ts";

export default class ScheduleList extends KnibCommand {
	static override summary = "list schedules, with the next run on this host";

	async run(): Promise<void> {
		const { flags } = await this.parse(ScheduleList);
		const schedules = await this.connected(flags, ({ api }) => api.schedule.list.query());
		this.show(flags, schedules, schedulesText);
	}
}
