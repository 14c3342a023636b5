import { offeringCreateInputSchema } from "@knib/core";
import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { checked } from "../../check-input.ts";
import { fieldsOf, offeringFlags } from "../../offering-flags.ts";
import { offeringText } from "../../print/offering.ts";

export default class OfferingCreate extends KnibCommand {
	static override summary = "create an offering: a named policy that VMs are assigned to";
	static override args = { name: Args.string({ description: "its name", required: true }) };
	static override flags = { ...offeringFlags, "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(OfferingCreate);
		const given = { ...fieldsOf(flags), name: args.name, dryRun: flags["dry-run"] };
		const input = checked(offeringCreateInputSchema, given);
		const outcome = await this.connected(flags, ({ api }) => api.offering.create.mutate(input));
		this.showOutcome(flags, outcome, offeringText);
	}
}
