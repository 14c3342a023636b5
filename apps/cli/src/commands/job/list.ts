import type { JobView } from "@knib/core";
import { Flags } from "@oclif/core";
import { hostFlag, KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { instant, short } from "../../print/text.ts";

const percent = ({ progress }: JobView): string | null =>
	progress === null || progress.total === 0
		? null
		: `${Math.floor((100 * progress.done) / progress.total)}%`;

const COLUMNS = [
	{ head: "ID", cell: (job: JobView) => short(job.id) },
	{ head: "TYPE", cell: (job: JobView) => job.type },
	{ head: "VM", cell: (job: JobView) => job.vm?.name ?? null },
	{ head: "STATE", cell: (job: JobView) => job.state },
	{
		head: "PHASE",
		cell: ({ phase }: JobView) =>
			phase === null ? null : `${phase.index}/${phase.count} ${phase.name}`,
	},
	{ head: "DONE", cell: percent },
	{ head: "CREATED", cell: (job: JobView) => instant(job.createdAt) },
	{ head: "REASON", cell: (job: JobView) => job.error?.message ?? job.reason },
];

export default class JobList extends KnibCommand {
	static override summary = "list jobs";
	static override flags = {
		id: Flags.string({ summary: "only this job", helpValue: "ID" }),
		executing: Flags.boolean({ summary: "only those being worked on" }),
		scheduled: Flags.boolean({ summary: "only those that wait for a time" }),
		type: Flags.string({ summary: "only of this type", helpValue: "TYPE" }),
		vm: Flags.string({ summary: "only of this VM", helpValue: "VM" }),
		backup: Flags.string({ summary: "only of this backup", helpValue: "ID" }),
		host: hostFlag,
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(JobList);
		const { id, executing, scheduled, type, vm, backup } = flags;
		const jobs = await this.connected(flags, ({ api }) =>
			api.job.list.query({
				...(id === undefined ? {} : { id }),
				...(executing === undefined ? {} : { executing }),
				...(scheduled === undefined ? {} : { scheduled }),
				...(type === undefined ? {} : { type }),
				...(vm === undefined ? {} : { vm }),
				...(backup === undefined ? {} : { backup }),
			}),
		);
		this.show(flags, jobs, (rows) => table(rows, COLUMNS));
	}
}
