import type { HostView } from "@knib/core";
import { KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { instant, short } from "../../print/text.ts";

const COLUMNS = [
	{ head: "NAME", cell: (host: HostView) => host.name },
	{ head: "ID", cell: (host: HostView) => short(host.id) },
	{ head: "STATE", cell: (host: HostView) => host.state },
	{ head: "VMS", cell: (host: HostView) => host.vms },
	{ head: "SEEN", cell: (host: HostView) => instant(host.seenAt) },
	{ head: "LIBVIRT", cell: (host: HostView) => host.libvirt },
	{ head: "QEMU", cell: (host: HostView) => host.qemu },
	{ head: "SCRATCH", cell: (host: HostView) => host.scratchDirectory },
	{ head: "PROBLEMS", cell: (host: HostView) => host.problems.join("; ") || null },
];

export default class HostList extends KnibCommand {
	static override summary = "list hosts with their state and age";

	async run(): Promise<void> {
		const { flags } = await this.parse(HostList);
		const hosts = await this.connected(flags, ({ api }) => api.host.list.query());
		this.show(flags, hosts, (rows) => table(rows, COLUMNS));
	}
}
