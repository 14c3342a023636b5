import type { BackupView } from "@knib/core";
import { Flags } from "@oclif/core";
import { hostFlag, KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { instant, short, size } from "../../print/text.ts";

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
		all: Flags.boolean({ summary: "also failed and removed ones", default: false }),
		host: hostFlag,
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(BackupList);
		const { vm, chain, all } = flags;
		const backups = await this.connected(flags, ({ api }) =>
			api.backup.list.query({
				...(vm === undefined ? {} : { vm }),
				...(chain === undefined ? {} : { chain }),
				all,
			}),
		);
		this.show(flags, backups, (rows) => table(rows, COLUMNS));
	}
}
