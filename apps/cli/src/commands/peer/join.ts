import { showHostId } from "@knib/core";
import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class PeerJoin extends KnibCommand {
	static override summary = "pair this host with the one that gave out a code";
	static override args = {
		code: Args.string({ description: "what `knib peer invite` printed there", required: true }),
	};
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(PeerJoin);
		const input = { ...args, dryRun: flags["dry-run"] };
		const outcome = await this.connected(flags, ({ api }) => api.peer.join.mutate(input));
		this.showOutcome(
			flags,
			outcome,
			({ id, name }) => `paired with ${safe(name)}, ${showHostId(id)}`,
		);
	}
}
