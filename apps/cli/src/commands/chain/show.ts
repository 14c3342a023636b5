import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { facts } from "../../print/table.ts";
import { short, size } from "../../print/text.ts";

export default class ChainShow extends KnibCommand {
	static override summary = "show one chain and its backups, oldest first";
	static override args = {
		chain: Args.string({
			description: "id, or 4 or more of its first or last digits",
			required: true,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(ChainShow);
		const chain = await this.connected(flags, ({ api }) => api.chain.show.query(args));
		this.show(flags, chain, (view) =>
			facts([
				["id", view.id],
				["vm", `${view.vm.name} (${view.vm.uuid})`],
				["repository", view.repository],
				["state", view.state],
				["ended by", view.endReason],
				["size", size(view.size)],
				["backups", view.backups.map(short).join(", ")],
				...view.blocked.map(
					({ action, reason }) => ["cannot be done", `${action}: ${reason}`] as const,
				),
				...view.problems.map((problem) => ["problem", problem] as const),
			]),
		);
	}
}
