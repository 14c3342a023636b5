import type { OfferingView } from "@knib/core";
import { Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { short } from "../../print/text.ts";

const yes = (value: boolean): string => (value ? "yes" : "no");
const COLUMNS = [
	{
		head: "NAME",
		cell: (o: OfferingView) => (o.removedAt === undefined ? o.name : `${o.name} (removed)`),
	},
	{ head: "ID", cell: (o: OfferingView) => short(o.id) },
	{ head: "VMS", cell: (o: OfferingView) => o.vms },
	{ head: "CHAIN", cell: (o: OfferingView) => o.backupChainSize ?? null },
	{ head: "COMPRESS", cell: (o: OfferingView) => yes(o.compress) },
	{ head: "VALIDATE", cell: (o: OfferingView) => yes(o.validate) },
	{ head: "QUICK RESTORE", cell: (o: OfferingView) => yes(o.allowQuickRestore) },
	{ head: "EXTRACT FILES", cell: (o: OfferingView) => yes(o.allowExtractFile) },
	{ head: "DESCRIPTION", cell: (o: OfferingView) => o.description || null },
];
const only = (summary: string) => Flags.boolean({ summary, allowNo: true });

export default class OfferingList extends KnibCommand {
	static override summary = "list offerings";
	static override flags = {
		id: Flags.string({ summary: "only this one", helpValue: "ID" }),
		compress: only("only those that compress, or do not"),
		validate: only("only those that validate, or do not"),
		"allow-quick-restore": only("only those that allow quick restores, or do not"),
		"allow-extract-file": only("only those that allow files to be taken out, or do not"),
		"show-removed": Flags.boolean({ summary: "also removed ones", default: false }),
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(OfferingList);
		const quick = flags["allow-quick-restore"];
		const extract = flags["allow-extract-file"];
		const filter = {
			...(flags.id === undefined ? {} : { id: flags.id }),
			...(flags.compress === undefined ? {} : { compress: flags.compress }),
			...(flags.validate === undefined ? {} : { validate: flags.validate }),
			...(quick === undefined ? {} : { allowQuickRestore: quick }),
			...(extract === undefined ? {} : { allowExtractFile: extract }),
			showRemoved: flags["show-removed"],
		};
		const offerings = await this.connected(flags, ({ api }) => api.offering.list.query(filter));
		this.show(flags, offerings, (rows) => table(rows, COLUMNS));
	}
}
