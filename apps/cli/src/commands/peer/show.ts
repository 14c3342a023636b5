import { showHostId } from "@knib/core";
import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { facts } from "../../print/table.ts";
import { instant, keyWords } from "../../print/text.ts";

export default class PeerShow extends KnibCommand {
	static override summary =
		"show one peer: its link, what it is behind, and what of it was refused";
	static override args = { peer: Args.string({ description: "name or id", required: true }) };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(PeerShow);
		const peer = await this.connected(flags, ({ api }) => api.peer.show.query(args));
		this.show(flags, peer, (view) => {
			const { accepted, dropped, garbage, unexpected } = view.received;
			return facts([
				["name", view.name],
				["id", showHostId(view.id)],
				["state", view.state],
				["kept", view.kept ? "yes" : "no: its documents pass through other hosts"],
				["role", view.role],
				["address", view.address],
				["key", keyWords(view.key)],
				["link last open", instant(view.lastSeen)],
				["documents behind", view.lagDocuments ?? "not known"],
				["clock differs by ms", view.skewMs],
				["documents taken", accepted],
				...Object.entries(dropped).map(([why, count]) => [`dropped, ${why}`, count] as const),
				["frames that were none", garbage],
				["frames nobody asked for", unexpected],
				...view.warnings.map((warning) => ["warning", warning] as const),
			]);
		});
	}
}
