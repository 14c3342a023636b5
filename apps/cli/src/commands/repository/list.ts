import type { RepositoryView } from "@knib/core";
import { hostFlag, KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { short, size } from "../../print/text.ts";

const COLUMNS = [
	{ head: "NAME", cell: (r: RepositoryView) => (r.default ? `${r.name} (default)` : r.name) },
	{ head: "ID", cell: (r: RepositoryView) => short(r.id) },
	{ head: "STATE", cell: (r: RepositoryView) => r.state },
	{ head: "FREE", cell: (r: RepositoryView) => (r.capacity === 0 ? null : size(r.free)) },
	{ head: "OF", cell: (r: RepositoryView) => (r.capacity === 0 ? null : size(r.capacity)) },
	{ head: "BACKUPS", cell: (r: RepositoryView) => r.backups },
	{ head: "CHAINS", cell: (r: RepositoryView) => r.chains },
	{ head: "PATH", cell: (r: RepositoryView) => r.path },
	{ head: "MESSAGE", cell: (r: RepositoryView) => r.message },
];

export default class RepositoryList extends KnibCommand {
	static override summary = "list repositories with their state and space";
	static override flags = { host: hostFlag };

	async run(): Promise<void> {
		const { flags } = await this.parse(RepositoryList);
		const repositories = await this.connected(flags, ({ api }) => api.repository.list.query());
		this.show(flags, repositories, (rows) => table(rows, COLUMNS));
	}
}
