import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { settingText } from "../../print/setting.ts";
import { scopeFlags, scopeOf } from "../../settings-flags.ts";

export default class SettingsGet extends KnibCommand {
	static override summary = "show one setting";
	static override args = { name: Args.string({ description: "its name", required: true }) };
	static override flags = scopeFlags;

	async run(): Promise<void> {
		const { flags, args } = await this.parse(SettingsGet);
		const setting = await this.connected(this.local(flags), ({ api }) =>
			api.settings.get.query({ ...args, ...scopeOf(flags) }),
		);
		this.show(flags, setting, settingText);
	}
}
