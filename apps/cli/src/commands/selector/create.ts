import { selectorCreateInputSchema } from "@knib/core";
import { Args, Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { checked } from "../../check-input.ts";
import { selectorText } from "../../print/selector.ts";
import { matchText, priorityFlag, repositoryText, selectorFieldsOf } from "../../selector-flags.ts";

export default class SelectorCreate extends KnibCommand {
	static override summary =
		"choose the repository of new chains by name, tag, host or offering of the VM; an offering's own repository goes before";
	static override args = { name: Args.string({ description: "its name", required: true }) };
	static override flags = {
		match: Flags.string({ ...matchText, required: true }),
		repository: Flags.string({ ...repositoryText, required: true }),
		priority: priorityFlag,
		"dry-run": dryRunFlag,
	};
	static override examples = [
		"<%= config.bin %> selector create production --match tag=prod --match host=kvm1 --repository nas --priority 10",
	];

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SelectorCreate);
		const given = { ...selectorFieldsOf(flags), name: args.name, dryRun: flags["dry-run"] };
		const input = checked(selectorCreateInputSchema, given);
		const outcome = await this.connected(flags, ({ api }) => api.selector.create.mutate(input));
		this.showOutcome(flags, outcome, selectorText);
	}
}
