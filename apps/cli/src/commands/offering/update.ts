import { KnibError, offeringChangesSchema } from "@knib/core";
import { Args, Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { checked } from "../../check-input.ts";
import { changesOf, offeringFlags } from "../../offering-flags.ts";
import { offeringText } from "../../print/offering.ts";

export default class OfferingUpdate extends KnibCommand {
	static override summary = "change fields of an offering; what is not named stays";
	static override args = { offering: Args.string({ description: "name or id", required: true }) };
	static override flags = {
		...offeringFlags,
		name: Flags.string({ summary: "its new name", helpValue: "NAME" }),
		"dry-run": dryRunFlag,
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(OfferingUpdate);
		const name = flags.name === undefined ? {} : { name: flags.name };
		const changes = checked(offeringChangesSchema, { ...changesOf(flags), ...name });
		if (Object.keys(changes).length === 0) {
			throw new KnibError("USAGE", "nothing to change: name at least one field");
		}
		const outcome = await this.connected(flags, ({ api }) =>
			api.offering.update.mutate({ offering: args.offering, changes, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, offeringText);
	}
}
