import type { RescanView } from "@knib/core";
import { Args } from "@oclif/core";
import { hostFlag, KnibCommand } from "../../base-command.ts";
import { exitOf, WARNINGS } from "../../exit-code.ts";
import { counted, safe } from "../../print/text.ts";

const text = (found: RescanView): string => {
	const name = safe(found.repository);
	if (found.error !== null) return `${name}: unchanged, ${safe(found.error.message)}`;
	const gone =
		found.vanished.length === 0 ? "" : `, ${counted(found.vanished.length, "backup")} gone`;
	const head = `${name}: ${counted(found.chains, "chain")}, ${counted(found.backups, "backup")}${gone}`;
	return [head, ...found.problems.map((problem) => `  ${safe(problem)}`)].join("\n");
};

export default class RepositoryRescan extends KnibCommand {
	static override summary =
		"rebuild the view of backups from the manifests in a repository, or in all";
	static override args = { repository: Args.string({ description: "name or id" }) };
	static override flags = { host: hostFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RepositoryRescan);
		const which = args.repository === undefined ? {} : { repository: args.repository };
		const found = await this.connected(flags, ({ api }) => api.repository.rescan.mutate(which));
		this.show(flags, found, (all) => all.map(text).join("\n"));
		const failed = found.find((one) => one.error !== null)?.error;
		if (failed) process.exitCode = exitOf(failed.code);
		else if (found.some((one) => one.problems.length > 0)) process.exitCode = WARNINGS;
	}
}
