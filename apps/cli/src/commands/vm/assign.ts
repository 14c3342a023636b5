import { Args } from "@oclif/core";
import { dryRunFlag, hostFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

export default class VmAssign extends KnibCommand {
	static override summary = "assign a VM to an offering";
	static override args = {
		vm: Args.string({ description: "name or uuid", required: true }),
		offering: Args.string({ description: "name or id", required: true }),
	};
	static override flags = { "dry-run": dryRunFlag, host: hostFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(VmAssign);
		const dryRun = flags["dry-run"];
		const outcome = await this.connected(flags, ({ api }) =>
			api.vm.assign.mutate({ ...args, dryRun }),
		);
		this.showOutcome(flags, outcome, (vm) => safe(`${vm.name} is assigned to ${vm.offering}`));
	}
}
