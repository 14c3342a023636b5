import { KnibError, selectorChangesSchema } from "@knib/core";
import { Args, Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { checked } from "../../check-input.ts";
import { selectorText } from "../../print/selector.ts";
import { matchText, priorityFlag, repositoryText, selectorFieldsOf } from "../../selector-flags.ts";

export default class SelectorUpdate extends KnibCommand {
	static override summary =
		"change fields of a selector; what is not named stays, --match takes the place of all conditions";
	static override args = { selector: Args.string({ description: "name or id", required: true }) };
	static override flags = {
		match: Flags.string(matchText),
		repository: Flags.string(repositoryText),
		priority: priorityFlag,
		name: Flags.string({ summary: "its new name", helpValue: "NAME" }),
		"dry-run": dryRunFlag,
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SelectorUpdate);
		const name = flags.name === undefined ? {} : { name: flags.name };
		const changes = checked(selectorChangesSchema, { ...selectorFieldsOf(flags), ...name });
		if (Object.keys(changes).length === 0) {
			throw new KnibError("USAGE", "nothing to change: name at least one field");
		}
		const outcome = await this.connected(flags, ({ api }) =>
			api.selector.update.mutate({ ...args, changes, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, selectorText);
	}
}
