import type { SettingView } from "@knib/core";
import { Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { settingValue } from "../../print/setting.ts";
import { table } from "../../print/table.ts";
import { scopeFlags, scopeOf } from "../../settings-flags.ts";

const COLUMNS = [
	{ head: "NAME", cell: (setting: SettingView) => setting.name },
	{ head: "VALUE", cell: settingValue },
	{ head: "FROM", cell: (setting: SettingView) => setting.source },
];

export default class SettingsList extends KnibCommand {
	static override summary = "list settings: of the cluster, or as they count for a host or a VM";
	static override flags = {
		effective: Flags.string({
			summary: "as they count for this VM",
			helpValue: "VM",
			exclusive: ["vm", "host"],
		}),
		...scopeFlags,
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(SettingsList);
		const { effective } = flags;
		const scope = { ...scopeOf(flags), ...(effective === undefined ? {} : { effective }) };
		const settings = await this.connected(this.local(flags), ({ api }) =>
			api.settings.list.query(scope),
		);
		this.show(flags, settings, (rows) => table(rows, COLUMNS));
	}
}
