import { dryRunFlag, KnibCommand } from "../../base-command.ts";

export default class PeerRotateKey extends KnibCommand {
	static override summary = "give this host a new key; its id, its peers and its jobs stay";
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags } = await this.parse(PeerRotateKey);
		const input = { dryRun: flags["dry-run"] };
		const outcome = await this.connected(flags, ({ api }) => api.peer.rotateKey.mutate(input));
		this.showOutcome(flags, outcome, ({ number }) => `this host has its key ${number} now`);
	}
}
