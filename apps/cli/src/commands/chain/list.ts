import type { ChainView } from "@knib/core";
import { Flags } from "@oclif/core";
import { hostFlag, KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { short, size } from "../../print/text.ts";

const COLUMNS = [
	{ head: "ID", cell: (chain: ChainView) => short(chain.id) },
	{ head: "VM", cell: (chain: ChainView) => chain.vm.name },
	{ head: "STATE", cell: (chain: ChainView) => chain.state },
	{ head: "BACKUPS", cell: (chain: ChainView) => chain.backups.length },
	{ head: "SIZE", cell: (chain: ChainView) => size(chain.size) },
	{ head: "REPOSITORY", cell: (chain: ChainView) => chain.repository },
	{ head: "ENDED BY", cell: (chain: ChainView) => chain.endReason },
	{ head: "PROBLEMS", cell: (chain: ChainView) => chain.problems.join("; ") || null },
];

export default class ChainList extends KnibCommand {
	static override summary = "list chains";
	static override flags = {
		vm: Flags.string({ summary: "only of this VM", helpValue: "VM" }),
		host: hostFlag,
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(ChainList);
		const filter = flags.vm === undefined ? {} : { vm: flags.vm };
		const chains = await this.connected(flags, ({ api }) => api.chain.list.query(filter));
		this.show(flags, chains, (rows) => table(rows, COLUMNS));
	}
}
