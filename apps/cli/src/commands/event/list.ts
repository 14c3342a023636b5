import { type AuditEvent, KnibError, parseQuantity } from "@knib/core";
import { Flags } from "@oclif/core";
import { hostFlag, KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { instant } from "../../print/text.ts";

const COLUMNS = [
	{ head: "TIME", cell: (event: AuditEvent) => instant(event.at) },
	{ head: "KIND", cell: (event: AuditEvent) => event.kind },
	{ head: "WHO", cell: (event: AuditEvent) => event.who },
	{ head: "VM", cell: (event: AuditEvent) => event.vm?.name ?? null },
	{ head: "WHAT", cell: (event: AuditEvent) => event.text },
];

/** An instant, or how long ago: `2026-01-02`, `2h`. Throws USAGE. */
const parseSince = (text: string): string => {
	const seconds = /^\d+(?:\.\d+)? ?[a-z]+$/i.test(text) ? parseQuantity(text, "s") : undefined;
	const ms = seconds === undefined ? Date.parse(text) : Date.now() - seconds * 1000;
	if (!Number.isNaN(ms)) return new Date(ms).toISOString();
	throw new KnibError("USAGE", `${text} is no time: write it like 2026-01-02T03:04Z or 2h`);
};

export default class EventList extends KnibCommand {
	static override summary = "what was done on this host and by whom, how jobs ended, and alerts";
	static override flags = {
		since: Flags.string({
			summary: "not before this time, or so long ago: 2h, 7d",
			helpValue: "TIME",
		}),
		vm: Flags.string({ summary: "only of this VM", helpValue: "VM" }),
		limit: Flags.integer({ summary: "the newest so many", default: 1000, min: 1, max: 100_000 }),
		host: hostFlag,
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(EventList);
		const { vm, limit } = flags;
		const since = flags.since === undefined ? {} : { since: parseSince(flags.since) };
		const events = await this.connected(flags, ({ api }) =>
			api.event.list.query({ ...since, ...(vm === undefined ? {} : { vm }), limit }),
		);
		this.show(flags, events, (rows) => table(rows, COLUMNS));
	}
}
