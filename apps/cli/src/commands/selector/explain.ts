import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { explainedText } from "../../print/selector.ts";

export default class SelectorExplain extends KnibCommand {
	static override summary = "say where a VM's next chain goes and why, selector by selector";
	static override args = { vm: Args.string({ description: "name or uuid", required: true }) };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SelectorExplain);
		const explained = await this.connected(flags, ({ api }) => api.selector.explain.query(args));
		this.show(flags, explained, explainedText);
	}
}
