import type { BackupView } from "@knib/core";
import { Flags } from "@oclif/core";
import { hostFlag, KnibCommand } from "../../base-command.ts";
import { WARNINGS } from "../../exit-code.ts";
import { table } from "../../print/table.ts";
import { instant, safe, short, size } from "../../print/text.ts";

const COLUMNS = [
	{ head: "ID", cell: (backup: BackupView) => short(backup.id) },
	{ head: "VM", cell: (backup: BackupView) => backup.vm.name },
	{
		head: "POINT IN TIME",
		cell: (backup: BackupView) => instant(backup.pointInTime ?? backup.createdAt),
	},
	{ head: "KIND", cell: (backup: BackupView) => backup.kind },
	{ head: "CHAIN", cell: (backup: BackupView) => short(backup.chain) },
	{ head: "SIZE", cell: (backup: BackupView) => size(backup.size) },
	{ head: "STATUS", cell: (backup: BackupView) => backup.status },
	{ head: "PROOF", cell: (backup: BackupView) => backup.proof.at(-1)?.level ?? null },
	{ head: "REPOSITORY", cell: (backup: BackupView) => backup.repository },
	{ head: "REASON", cell: (backup: BackupView) => backup.error?.message ?? backup.reason },
];

export default class BackupList extends KnibCommand {
	static override summary = "list restore points, oldest first";
	static override flags = {
		vm: Flags.string({ summary: "only of this VM", helpValue: "VM" }),
		chain: Flags.string({ summary: "only of this chain", helpValue: "ID" }),
		all: Flags.boolean({
			summary: "also failed, removed and deleted ones that the trash still holds",
			default: false,
		}),
		host: hostFlag,
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(BackupList);
		const { vm, chain, all } = flags;
		const filter = {
			...(vm === undefined ? {} : { vm }),
			...(chain === undefined ? {} : { chain }),
			all,
		};
		const { listed, trash } = await this.connected(flags, async ({ api }) => ({
			listed: await api.backup.list.query(filter),
			trash: all ? await api.backup.trash.query(filter) : { backups: [], unreadable: [] },
		}));
		const deleted = trash.backups.filter((view) => !listed.some((one) => one.id === view.id));
		const backups = [...listed, ...deleted].toSorted((a, b) =>
			a.createdAt < b.createdAt ? -1 : 1,
		);
		this.show(flags, backups, (rows) => table(rows, COLUMNS));
		for (const { repository, message } of trash.unreadable) {
			this.note(`warning: the trash of ${safe(repository)} cannot be read: ${safe(message)}`);
			process.exitCode = WARNINGS;
		}
	}
}
