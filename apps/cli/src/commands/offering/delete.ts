import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class OfferingDelete extends KnibCommand {
	static override summary = "delete an offering that no VM is assigned to; it stays readable";
	static override args = { offering: Args.string({ description: "name or id", required: true }) };
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(OfferingDelete);
		const outcome = await this.connected(flags, ({ api }) =>
			api.offering.delete.mutate({ ...args, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, (offering) => safe(`offering ${offering.name} is removed`));
	}
}
