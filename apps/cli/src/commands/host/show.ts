import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { facts } from "../../print/table.ts";
import { instant, keyWords } from "../../print/text.ts";

export default class HostShow extends KnibCommand {
	static override summary = "show one host";
	static override args = { host: Args.string({ description: "name or id", required: true }) };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(HostShow);
		const host = await this.connected(flags, ({ api }) => api.host.show.query(args));
		this.show(flags, host, (view) =>
			facts([
				["name", view.name],
				["id", view.id],
				["state", view.state],
				...view.problems.map((problem) => ["problem", problem] as const),
				["seen", instant(view.seenAt)],
				["running since", instant(view.startedAt)],
				["knib", view.version],
				["libvirt", view.libvirt],
				["qemu", view.qemu],
				["scratch directory", view.scratchDirectory],
				["VMs", view.vms],
				["key", view.key === null ? null : keyWords(view.key)],
			]),
		);
	}
}
