import { KnibError } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { Flags } from "@oclif/core";
import { KnibCommand } from "../base-command.ts";
import { environment } from "../environment.ts";

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
		theme: Flags.option({
			summary: "how it looks; NO_COLOR takes all colours away",
			options: ["dark", "light", "contrast", "mono"] as const,
			default: "dark",
			env: "KNIB_THEME",
		})(),
		mouse: Flags.boolean({
			summary: "take clicks and the wheel; hold shift to select text",
			default: false,
		}),
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(Tui);
		const env = environment();
		const connect = async (): Promise<KnibClient> => await this.connection(flags);
		if (flags.plain) {
			const { runPlain } = await import("@knib/tui");
			const write = (line: string): boolean => process.stdout.write(`${line}\n`);
			await runPlain({ connect, write, signal: untilInterrupted(), now: Date.now });
			return;
		}
		if (!process.stdin.isTTY || !process.stdout.isTTY || env["TERM"] === "dumb") {
			throw new KnibError("USAGE", "the terminal interface needs a terminal", {
				details: { hint: "use `knib tui --plain` for lines, or `knib status`" },
			});
		}
		const { runTui } = await import("@knib/tui");
		process.exitCode = await runTui({
			...{ connect, env, theme: flags.theme, mouse: flags.mouse },
			readOnly: flags["read-only"],
		});
	}
}
