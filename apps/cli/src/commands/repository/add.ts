import { resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { repositoryText } from "../../print/repository.ts";

export default class RepositoryAdd extends KnibCommand {
	static override summary = "add a directory as a repository; one that holds backups is read";
	static override args = { name: Args.string({ description: "its name", required: true }) };
	static override flags = {
		path: Flags.string({ summary: "directory on this host", helpValue: "DIR", required: true }),
		default: Flags.boolean({
			summary: "new chains go there unless an offering says otherwise",
			default: false,
		}),
		"dry-run": dryRunFlag,
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RepositoryAdd);
		const outcome = await this.connected(flags, ({ api }) =>
			api.repository.add.mutate({
				name: args.name,
				path: resolve(flags.path),
				default: flags.default,
				dryRun: flags["dry-run"],
			}),
		);
		this.showOutcome(flags, outcome, repositoryText);
	}
}
