import type { SchedulePreview, ScheduleView } from "@knib/core";
import { facts, table } from "./table.ts";
import { instant, safe, short } from "./text.ts";

const vmsOf = ({ vm, tag }: Pick<ScheduleView, "vm" | "tag">): string =>
	tag === undefined ? vm : `${vm} with the tag ${tag}`;

const DAY_MS = 86_400_000;

/** The rules as `--keep` takes them; null where the offering's count. */
const rulesOf = ({ retention }: Pick<ScheduleView, "retention">): string | null =>
	retention === undefined
		? null
		: Object.entries(retention)
				.map(([rule, n]) => `${rule}=${rule === "keepWithin" ? `${(n ?? 0) / DAY_MS}d` : n}`)
				.join(",");

const COLUMNS = [
	{ head: "ID", cell: ({ id }: ScheduleView) => short(id) },
	{ head: "NAME", cell: ({ name }: ScheduleView) => name },
	{ head: "CRON", cell: ({ cron }: ScheduleView) => cron },
	{ head: "TIME ZONE", cell: ({ timezone }: ScheduleView) => timezone },
	{ head: "VMS", cell: (view: ScheduleView) => vmsOf(view) },
	{ head: "KIND", cell: ({ isolated }: ScheduleView) => (isolated ? "isolated" : "chain") },
	{
		head: "NEXT",
		cell: ({ nextRun }: ScheduleView) => (nextRun === null ? null : instant(nextRun)),
	},
];

export const schedulesText = (schedules: readonly ScheduleView[]): string =>
	table(schedules, COLUMNS);

/** All fields of a schedule. */
export const scheduleText = (view: ScheduleView): string =>
	facts([
		["name", view.name],
		["id", view.id],
		["cron", view.cron],
		["time zone", view.timezone],
		["VMs", vmsOf(view)],
		["backups", view.isolated ? "isolated" : "in each VM's chain"],
		["jitter", view.jitterMs === 0 ? null : `up to ${view.jitterMs / 1000} s`],
		["keeps", rulesOf(view)],
		["next run", view.nextRun === null ? "never" : instant(view.nextRun)],
	]);

/** When it runs next on this host, and what it would back up now. */
export const schedulePreviewText = ({ schedule, runs, vms }: SchedulePreview): string =>
	[
		`${safe(schedule.name)}: ${safe(schedule.cron)} in ${safe(schedule.timezone)}`,
		...runs.map((at) => `  ${instant(at)}`),
		vms.length === 0
			? `no VM of this host fits ${safe(vmsOf(schedule))}`
			: `VMs of this host: ${safe(vms.map(({ name }) => name).join(", "))}`,
	].join("\n");
