import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { facts } from "../../print/table.ts";
import { instant, short } from "../../print/text.ts";

export default class JobShow extends KnibCommand {
	static override summary = "show one job";
	static override args = {
		job: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(JobShow);
		const job = await this.connected(flags, ({ api }) => api.job.show.query(args));
		this.show(flags, job, (view) =>
			facts([
				["id", view.id],
				["type", view.type],
				["vm", view.vm?.name ?? null],
				["backup", view.backup === null ? null : short(view.backup)],
				["state", view.state],
				["reason", view.reason],
				[
					"phase",
					view.phase === null
						? null
						: `${view.phase.index} of ${view.phase.count}: ${view.phase.name}`,
				],
				["attempts", view.attempts],
				["created", instant(view.createdAt)],
				["scheduled", view.scheduledAt === null ? null : instant(view.scheduledAt)],
				["started", view.startedAt === null ? null : instant(view.startedAt)],
				["ended", view.endedAt === null ? null : instant(view.endedAt)],
				["error", view.error === null ? null : `${view.error.message} (${view.error.code})`],
				["next", view.error?.hint ?? null],
				...view.warnings.map((warning) => ["warning", warning] as const),
			]),
		);
	}
}
