// Commands that start a job: plan it for a dry run, start it, wait for it, and print its result.
import type { JobEvent, JobRequestInput, JobType, JobView } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { type GlobalFlags, KnibCommand } from "./base-command.ts";
import { exitOfJob } from "./exit-code.ts";
import { errorText } from "./print/error.ts";
import { errorOfJob, lineOfEvent } from "./print/job-line.ts";
import { jsonLine } from "./print/json.ts";
import { planText } from "./print/plan.ts";
import { createProgressBar, progressLine } from "./print/progress.ts";
import { skippedOf } from "./print/results.ts";
import { safe, short } from "./print/text.ts";
import { isRetriedLater, waitForJob } from "./wait-job.ts";

/** Parsed flags of a command that starts a job. */
export type JobCommandFlags = GlobalFlags & {
	readonly wait: boolean;
	readonly "dry-run": boolean;
};
type ResultText = (result: Readonly<Record<string, unknown>>) => string;

/** The base of commands that start or watch jobs. */
export abstract class JobCommand extends KnibCommand {
	/** Type of the job that carries on what the first one began: it is waited for too, and its result is the command's. */
	protected readonly carriedOnBy: JobType | null = null;

	/** What the job was last said to wait for. */
	#waitsFor: string | null = null;

	/** What fails before there is a job ends a stream of lines like any other failure. */
	protected override async catch(error: Error & { exitCode?: number }): Promise<void> {
		const says = (flag: string): boolean => this.argv.includes(flag);
		this.lines ||= says("--json") && !says("--no-wait") && !says("--dry-run");
		await super.catch(error);
	}

	/** Starts the requested job, or with `--dry-run` prints its plan. */
	protected async carryOut(
		client: KnibClient,
		flags: JobCommandFlags,
		request: JobRequestInput,
		text: ResultText,
	): Promise<void> {
		const { host } = flags;
		const { plan, planOn, start, ask } = client.api.job;
		if (flags["dry-run"]) {
			const planned = host === undefined ? plan.query(request) : planOn.query({ host, request });
			this.show(flags, await planned, planText);
			return;
		}
		this.lines = flags.json && flags.wait;
		const begin = () =>
			host === undefined ? start.mutate(request) : ask.mutate({ host, request });
		if (flags.wait) await this.follow(client, flags, async () => (await begin()).id, text);
		else this.show(flags, await begin(), ({ id }) => id);
	}

	/** Starts a job and waits for it, shows its progress, prints its result or error, and sets the exit code. */
	protected async follow(
		client: KnibClient,
		flags: GlobalFlags,
		start: () => Promise<string>,
		text: ResultText,
		cancels = true,
	): Promise<void> {
		this.lines = flags.json;
		const first = await this.#wait(client, flags, start, cancels);
		const next = await this.#nextOf(client, first);
		this.#finish(
			flags,
			next === null ? first : await this.#wait(client, flags, async () => next, cancels),
			text,
		);
	}

	async #nextOf(client: KnibClient, { state, next = [] }: JobView): Promise<string | null> {
		if (this.carriedOnBy === null || state !== "succeeded") return null;
		for (const job of next) {
			if ((await client.api.job.show.query({ job })).type === this.carriedOnBy) return job;
		}
		return null;
	}

	async #wait(
		client: KnibClient,
		flags: GlobalFlags,
		start: () => Promise<string>,
		cancels: boolean,
	): Promise<JobView> {
		const bar = createProgressBar(process.stderr);
		const onEvent = (event: JobEvent): void => {
			if (flags.json) this.#eventLine(event);
			else if (event.type === "job") this.#noteWait(event.job, bar.clear);
			else if (event.type === "progress") bar.show(progressLine(event));
			else if (event.type === "log") {
				bar.clear();
				const level = event.line.level === "info" ? "" : `${event.line.level}: `;
				this.note(`${level}${safe(event.line.text)}`);
			}
		};
		const onInterrupt = (job: string | null): void => {
			bar.clear();
			const which = job === null ? "the job" : `job ${short(job)}`;
			this.note(`cancelling ${which} and waiting for the undo; interrupt again to leave at once`);
		};
		try {
			const isEnough = (job: JobView) => cancels && isRetriedLater(job, Date.now());
			return await waitForJob({ client, start, onEvent, onInterrupt, cancels, isEnough });
		} finally {
			bar.clear();
		}
	}

	/** Says once what the job waits for. */
	#noteWait({ state, reason, error }: JobView, clear: () => void): void {
		const waits = state === "waiting" && error === null ? reason : null;
		if (waits !== null && waits !== this.#waitsFor) {
			clear();
			this.note(`${waits.startsWith("waits") ? "" : "waiting: "}${safe(waits)}`);
		}
		this.#waitsFor = waits;
	}

	#eventLine(event: JobEvent): void {
		const line = lineOfEvent(event);
		if (line !== undefined) process.stdout.write(`${jsonLine(line)}\n`);
	}

	#finish(flags: GlobalFlags, job: JobView, text: ResultText): void {
		process.exitCode = exitOfJob(job);
		const error = errorOfJob(job);
		const done = job.state === "succeeded";
		if (flags.json) {
			const outcome = done ? { result: job.result } : { error };
			process.stdout.write(`${jsonLine({ type: "result", job, ...outcome })}\n`);
			return;
		}
		const remarks = [...job.warnings, ...skippedOf(job.result ?? {}, job.warnings)];
		for (const remark of remarks) this.note(`warning: ${safe(remark)}`);
		if (!done) this.note(errorText(error));
		else if (job.result !== null) process.stdout.write(`${text(job.result)}\n`);
	}
}
