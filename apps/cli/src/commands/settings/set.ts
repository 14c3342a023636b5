import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { settingText } from "../../print/setting.ts";
import { scopeFlags, scopeOf } from "../../settings-flags.ts";

export default class SettingsSet extends KnibCommand {
	static override summary = "set a setting for the cluster, a host or a VM; the narrowest wins";
	static override args = {
		name: Args.string({ description: "its name", required: true }),
		value: Args.string({ description: "its value, such as 8, 90s, 2h, 200MB/s", required: true }),
	};
	static override flags = { ...scopeFlags, "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SettingsSet);
		const outcome = await this.connected(this.local(flags), ({ api }) =>
			api.settings.set.mutate({ ...args, ...scopeOf(flags), dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, settingText);
	}
}
