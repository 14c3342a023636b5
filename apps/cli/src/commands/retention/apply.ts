import type { JobView, RetentionApplied } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { Flags } from "@oclif/core";
import { dryRunFlag, KnibCommand } from "../../base-command.ts";
import { exitOfJob, WARNINGS } from "../../exit-code.ts";
import { retentionText } from "../../print/retention.ts";
import { safe, short } from "../../print/text.ts";
import { waitForJob } from "../../wait-job.ts";

/** What came of it: with `--wait` how each deletion ended. */
type Result = RetentionApplied & {
	readonly ended: readonly { readonly backup: string; readonly state: string }[];
};

const resultText = ({ vms, jobs, ended }: Result): string => {
	const removed = ended.filter(({ state }) => state === "succeeded").length;
	const asked = ended.length === 0 ? `${jobs.length} deletions asked for` : `${removed} removed`;
	const done = jobs.length === 0 ? "nothing to remove" : asked;
	const kept = vms.flatMap(({ backups }) => backups.filter(({ keep }) => keep)).length;
	return `${done}, ${kept} kept`;
};

export default class RetentionApply extends KnibCommand {
	static override summary =
		"delete the restore points that no rule of their offering or schedule keeps, into the trash";
	static override flags = {
		vm: Flags.string({ summary: "only of this VM", helpValue: "VM" }),
		wait: Flags.boolean({
			summary: "wait until all deletions have ended",
			allowNo: true,
			default: true,
		}),
		"dry-run": dryRunFlag,
	};

	async #ends(client: KnibClient, { jobs }: RetentionApplied): Promise<Result["ended"]> {
		const ended: { backup: string; state: string }[] = [];
		for (const { backup, job } of jobs) {
			const view: JobView = await waitForJob({
				client,
				start: async () => job,
				onEvent: () => undefined,
				onInterrupt: () => this.note("cancelling; interrupt again to leave at once"),
			});
			ended.push({ backup, state: view.state });
			if (view.state === "succeeded") continue;
			this.note(`warning: ${short(backup)} stays: ${safe(view.error?.message ?? view.state)}`);
			process.exitCode = exitOfJob(view);
		}
		return ended;
	}

	async run(): Promise<void> {
		const { flags } = await this.parse(RetentionApply);
		const filter = flags.vm === undefined ? {} : { vm: flags.vm };
		await this.connected(flags, async (client) => {
			const { preview, apply } = client.api.retention;
			if (flags["dry-run"]) {
				this.show(flags, await preview.query(filter), retentionText);
				return;
			}
			const applied = await apply.mutate(filter);
			for (const { backup, reason } of applied.refused) {
				this.note(`warning: ${short(backup)} stays: ${safe(reason)}`);
				process.exitCode = WARNINGS;
			}
			const ended = flags.wait ? await this.#ends(client, applied) : [];
			this.show(flags, { ...applied, ended }, resultText);
		});
	}
}
