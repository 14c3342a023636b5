import type { PeerView } from "@knib/core";
import { KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { instant, short } from "../../print/text.ts";

const COLUMNS = [
	{ head: "NAME", cell: (peer: PeerView) => peer.name },
	{ head: "ID", cell: (peer: PeerView) => short(peer.id) },
	{ head: "STATE", cell: (peer: PeerView) => peer.state },
	{ head: "KEPT", cell: (peer: PeerView) => (peer.kept ? "yes" : "no") },
	{ head: "ROLE", cell: (peer: PeerView) => peer.role },
	{ head: "ADDRESS", cell: (peer: PeerView) => peer.address },
	{ head: "SEEN", cell: (peer: PeerView) => instant(peer.lastSeen) },
	{ head: "BEHIND", cell: (peer: PeerView) => peer.lagDocuments },
];

export default class PeerList extends KnibCommand {
	static override summary = "list the hosts that this one is or was paired with";

	async run(): Promise<void> {
		const { flags } = await this.parse(PeerList);
		const peers = await this.connected(flags, ({ api }) => api.peer.list.query());
		this.show(flags, peers, (rows) => table(rows, COLUMNS));
	}
}
