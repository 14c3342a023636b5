import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class SelectorDelete extends KnibCommand {
	static override summary = "delete a selector; chains and backups stay where they are";
	static override args = { selector: Args.string({ description: "name or id", required: true }) };
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SelectorDelete);
		const outcome = await this.connected(flags, ({ api }) =>
			api.selector.delete.mutate({ ...args, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, ({ name }) => safe(`selector ${name} is deleted`));
	}
}
