import type { KnibClient } from "@knib/host-daemon/client";
import { Flags } from "@oclif/core";
import { KnibCommand } from "../base-command.ts";
import { openTui } from "../open-tui.ts";

const untilInterrupted = (): AbortSignal => {
	const over = new AbortController();
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
		process.once(signal, () => over.abort());
	}
	return over.signal;
};

export default class Tui extends KnibCommand {
	static override summary = "the terminal interface; plain `knib` on a terminal opens it too";
	static override flags = {
		"read-only": Flags.boolean({ summary: "look only: nothing can be changed", default: false }),
		plain: Flags.boolean({
			summary: "lines as things change, for screen readers and logs",
			default: false,
		}),
		theme: Flags.string({
			summary: "how it looks; NO_COLOR takes all colours away",
			options: ["dark", "light", "contrast", "mono"],
			default: "dark",
			env: "KNIB_THEME",
		}),
		mouse: Flags.boolean({
			summary: "take clicks and the wheel; hold shift to select text",
			default: false,
		}),
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(Tui);
		if (!flags.plain) {
			process.exitCode = await openTui(flags);
			return;
		}
		const { runPlain } = await import("@knib/tui");
		const connect = async (): Promise<KnibClient> => await this.connection(flags);
		const write = (line: string): boolean => process.stdout.write(`${line}\n`);
		await runPlain({ connect, write, signal: untilInterrupted(), now: Date.now });
	}
}
