import { isRefusal, KnibError, orderRestores, type RestorePlanOutcome } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { Args } from "@oclif/core";
import { dryRunFlag, type GlobalFlags, hostFlag } from "../../base-command.ts";
import { DONE, exitOf, WARNINGS } from "../../exit-code.ts";
import { JobCommand } from "../../job-command.ts";
import { errorText } from "../../print/error.ts";
import { jsonLine } from "../../print/json.ts";
import { planResultText, previewText } from "../../print/restore-plan.ts";
import { safe } from "../../print/text.ts";
import { type CheckedEntry, checkEntries } from "../../restore-plan/check-entries.ts";
import { shareInterrupts } from "../../restore-plan/interrupts.ts";
import { previewPlan } from "../../restore-plan/preview.ts";
import { readPlanFile } from "../../restore-plan/read-file.ts";
import { createReport } from "../../restore-plan/report.ts";
import { runEntries } from "../../restore-plan/run-entries.ts";

/** What is wrong when not all is done; undefined when it is. */
const errorOf = (entries: readonly RestorePlanOutcome[], interrupted: boolean) => {
	const missing = entries.filter(({ state }) => state !== "done");
	if (missing.length === 0) return undefined;
	const words = missing.map(({ name, state, reason }) => `${name} ${state}: ${reason}`).join("; ");
	return {
		code: interrupted ? "CANCELLED" : "JOB_FAILED",
		message: `${missing.length} of ${entries.length} restores are not done: ${words}`,
		hint: "`knib job log JOB` says why; take what is done out of the file and run the rest again",
		details: {},
	};
};

export default class RestorePlan extends JobCommand {
	static override summary =
		"restore many VMs in order, by a file: all are checked first, each waits for what it depends on";
	static override examples = ["<%= config.bin %> restore plan dr.toml --dry-run"];
	static override args = {
		file: Args.string({
			description: "TOML, or JSON where it ends in .json: see docs/restore-plan.md",
			required: true,
		}),
	};
	static override flags = { "dry-run": dryRunFlag, host: hostFlag };

	async #carryOut(
		client: KnibClient,
		flags: GlobalFlags,
		checked: readonly CheckedEntry[],
		parallel: number,
	): Promise<void> {
		this.lines = flags.json;
		const report = createReport(flags.json);
		const interrupts = shareInterrupts();
		const { entries, interrupted } = await runEntries({
			client,
			checked,
			parallel,
			interrupts,
			...report,
		}).finally(() => {
			report.clear();
			interrupts.close();
		});
		const error = errorOf(entries, interrupted);
		const warnings = entries.flatMap((one) => one.warnings.map((text) => `${one.name}: ${text}`));
		const code = error === undefined ? DONE : exitOf(error.code);
		process.exitCode = code === DONE && warnings.length > 0 ? WARNINGS : code;
		const result = { entries };
		if (flags.json) {
			const line = { type: "result", job: null, result, ...(error === undefined ? {} : { error }) };
			process.stdout.write(`${jsonLine(line)}\n`);
			return;
		}
		for (const warning of warnings) this.note(`warning: ${safe(warning)}`);
		if (error !== undefined) this.note(errorText(error));
		process.stdout.write(`${planResultText(result)}\n`);
	}

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RestorePlan);
		const { parallel, entries } = await readPlanFile(args.file);
		const ordered = orderRestores(entries);
		if (isRefusal(ordered)) {
			const { code, message, details } = ordered;
			throw new KnibError(code, `${args.file}: ${message}`, { details });
		}
		await this.connected(flags, async (client) => {
			const checked = await checkEntries(client, ordered, flags.host);
			if (flags["dry-run"]) {
				this.show(flags, await previewPlan(client, checked, parallel), previewText);
			} else await this.#carryOut(client, flags, checked, parallel);
		});
	}
}
