import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { offeringText } from "../../print/offering.ts";

export default class OfferingClone extends KnibCommand {
	static override summary = "create an offering with the fields of another";
	static override args = {
		offering: Args.string({ description: "name or id of the one to copy", required: true }),
		name: Args.string({ description: "name of the new one", required: true }),
	};
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(OfferingClone);
		const outcome = await this.connected(flags, ({ api }) =>
			api.offering.clone.mutate({ ...args, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, offeringText);
	}
}
