import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class PeerRemove extends KnibCommand {
	static override summary = "remove a peer for good; nobody can bring it back under its key";
	static override args = { peer: Args.string({ description: "name or id", required: true }) };
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(PeerRemove);
		const input = { ...args, dryRun: flags["dry-run"] };
		const outcome = await this.connected(flags, ({ api }) => api.peer.remove.mutate(input));
		this.showOutcome(flags, outcome, (peer) => `${safe(peer.name)} is removed`);
	}
}
