import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class RepositoryRemove extends KnibCommand {
	static override summary = "take a repository out of this host's list; its files stay";
	static override args = { repository: Args.string({ description: "name or id", required: true }) };
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RepositoryRemove);
		const outcome = await this.connected(flags, ({ api }) =>
			api.repository.remove.mutate({ ...args, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, ({ name }) =>
			safe(`repository ${name} is off the list; its files are untouched`),
		);
	}
}
