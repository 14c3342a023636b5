import type { JobLogLine } from "@knib/core";
import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

const text = (line: JobLogLine): string => `${line.at} ${line.level.padEnd(5)} ${safe(line.text)}`;

export default class JobLog extends KnibCommand {
	static override summary = "print the log of a job";
	static override args = {
		job: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(JobLog);
		const lines = await this.connected(flags, ({ api }) => api.job.log.query(args));
		this.show(flags, lines, (all) => all.map(text).join("\n"));
	}
}
