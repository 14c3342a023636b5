import type { CheckView } from "@knib/core";
import { Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../base-command.ts";
import { environment } from "../environment.ts";
import { WARNINGS } from "../exit-code.ts";
import { safe } from "../print/text.ts";

const SIGNS = { ok: "ok     ", warning: "warning", failure: "FAILURE" } as const;

const text = ({ name, state, message, fix }: CheckView): string => {
	const head = `${SIGNS[state]}  ${safe(name)}: ${safe(message)}`;
	return fix === null ? head : `${head}\n         mend: ${safe(fix)}`;
};

export default class Doctor extends KnibCommand {
	static override summary =
		"check what knib needs on this host, with or without a running daemon; names the command that mends each";
	static override flags = {
		fix: Flags.boolean({
			summary: "do what knib may do by itself, after showing it; with --dry-run only show it",
			default: false,
		}),
		"dry-run": dryRunFlag,
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(Doctor);
		const { runDoctor } = await import("@knib/host-daemon/client");
		const given = { flags: { config: flags.config, socket: flags.socket }, env: environment() };
		let found = await runDoctor(given);
		if (flags.fix) {
			for (const act of found.mendable) {
				this.note(safe(`${flags["dry-run"] ? "would run" : "runs"}: ${act}`));
			}
			if (!flags["dry-run"] && found.mendable.length > 0) {
				await found.mend();
				found = await runDoctor(given);
			}
		}
		this.show(flags, found.checks, (checks) => checks.map(text).join("\n"));
		const states = found.checks.map((check) => check.state);
		if (states.includes("failure")) process.exitCode = 1;
		else if (states.includes("warning")) process.exitCode = WARNINGS;
	}
}
