import type { ConflictView } from "@knib/core";
import { KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { instant, short } from "../../print/text.ts";

const said = ({ value, host, at }: ConflictView["kept"]): string =>
	`${JSON.stringify(value)} by ${host} at ${instant(at)}`;

const COLUMNS = [
	{ head: "KIND", cell: (one: ConflictView) => one.kind },
	{ head: "NAME", cell: (one: ConflictView) => one.name ?? short(one.id) },
	{ head: "FIELD", cell: (one: ConflictView) => one.field },
	{ head: "KEPT", cell: (one: ConflictView) => said(one.kept) },
	{ head: "LOST", cell: (one: ConflictView) => said(one.lost) },
];

export default class PeerConflicts extends KnibCommand {
	static override summary =
		"list what hosts have set to different values at once; setting it again settles it";

	async run(): Promise<void> {
		const { flags } = await this.parse(PeerConflicts);
		const conflicts = await this.connected(flags, ({ api }) => api.peer.conflicts.query());
		this.show(flags, conflicts, (rows) => table(rows, COLUMNS));
	}
}
