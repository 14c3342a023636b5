import { Args } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { settingText } from "../../print/setting.ts";
import { scopeFlags, scopeOf } from "../../settings-flags.ts";

export default class SettingsUnset extends KnibCommand {
	static override summary = "take a setting away, so that the wider scope counts again";
	static override args = { name: Args.string({ description: "its name", required: true }) };
	static override flags = { ...scopeFlags, "dry-run": dryRunFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SettingsUnset);
		const outcome = await this.connected(this.local(flags), ({ api }) =>
			api.settings.unset.mutate({ ...args, ...scopeOf(flags), dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, settingText);
	}
}
