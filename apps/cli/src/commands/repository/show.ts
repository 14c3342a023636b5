import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { repositoryText } from "../../print/repository.ts";

export default class RepositoryShow extends KnibCommand {
	static override summary = "show one repository";
	static override args = { repository: Args.string({ description: "name or id", required: true }) };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RepositoryShow);
		const repository = await this.connected(flags, ({ api }) => api.repository.show.query(args));
		this.show(flags, repository, repositoryText);
	}
}
