import { resolve } from "node:path";
import { type InitView, initInputSchema, showHostId } from "@knib/core";
import { Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../base-command.ts";
import { checked } from "../check-input.ts";
import { environment } from "../environment.ts";
import { facts } from "../print/table.ts";
import { safe } from "../print/text.ts";

const text = (view: InitView): string =>
	[
		...view.made.map((line) => `+ ${safe(line)}`),
		facts([
			["host", `${view.host.name} (${showHostId(view.host.id)})`],
			["configuration", view.config],
			["state", view.stateDir],
			["socket", view.socket],
			[
				"repositories",
				view.repositories.join(", ") || "none: `knib init --repository DIR` adds one",
			],
			["offering", view.offering],
		]),
	].join("\n");

export default class Init extends KnibCommand {
	static override summary =
		"set this host up: configuration, identity, first repository and offering; repeatable";
	static override flags = {
		repository: Flags.string({
			summary: "directory of the first repository, made if missing",
			helpValue: "DIR",
		}),
		listen: Flags.string({ summary: "address for peers", helpValue: "HOST:PORT" }),
		"dry-run": dryRunFlag,
	};
	static override examples = ["<%= config.bin %> init --repository /srv/backup/knib"];

	async run(): Promise<void> {
		const { flags } = await this.parse(Init);
		const { initHost } = await import("@knib/host-daemon/client");
		const repository =
			flags.repository === undefined
				? {}
				: { repository: { name: "main", path: resolve(flags.repository) } };
		const input = checked(initInputSchema, { ...repository, dryRun: flags["dry-run"] });
		const { config, socket, listen } = flags;
		const outcome = await initHost({
			flags: { config, socket, listen },
			env: environment(),
			input,
		});
		this.showOutcome(flags, outcome, text);
	}
}
