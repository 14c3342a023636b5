import { roleSchema } from "@knib/core";
import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class PeerRole extends KnibCommand {
	static override summary = "say what a peer may do: look, ask for work, or also decide on peers";
	static override args = {
		peer: Args.string({ description: "name or id", required: true }),
		role: Args.string({ description: "role", required: true, options: roleSchema.options }),
	};
	static override flags = { "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(PeerRole);
		const role = roleSchema.parse(args.role);
		const input = { peer: args.peer, role, dryRun: flags["dry-run"] };
		const outcome = await this.connected(flags, ({ api }) => api.peer.role.mutate(input));
		this.showOutcome(flags, outcome, (peer) => `${safe(peer.name)} is ${peer.role} now`);
	}
}
