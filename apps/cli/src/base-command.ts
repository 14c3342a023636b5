// What all commands share: global flags, the connection, and the one place where results and errors are printed.
import type { ErrorView, Outcome } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import { Command, Flags } from "@oclif/core";
import { openConnection } from "./connection.ts";
import { errorText } from "./print/error.ts";
import { jsonDocument, jsonLine } from "./print/json.ts";
import { planText } from "./print/plan.ts";
import { safe } from "./print/text.ts";

/** Flags of every command, parsed. */
export type GlobalFlags = {
	readonly json: boolean;
	readonly config?: string | undefined;
	readonly socket?: string | undefined;
	readonly host?: string | undefined;
};

/** `--dry-run`, for every command that changes something. */
export const dryRunFlag = Flags.boolean({
	summary: "say what would happen and why, and change nothing",
	default: false,
});
/** `--host`, where another host may do the work. */
export const hostFlag = Flags.string({
	summary: "host that does the work, by name or id",
	helpValue: "HOST",
});
/** Flags of commands that start a job. */
export const jobFlags = {
	wait: Flags.boolean({
		summary: "wait until the job has ended",
		allowNo: true,
		default: true,
	}),
	"dry-run": dryRunFlag,
	host: hostFlag,
};

const isUsage = (error: unknown): error is Error => {
	if (!(error instanceof Error) || !("oclif" in error)) return false;
	const { oclif } = error;
	return typeof oclif === "object" && oclif !== null && "exit" in oclif && oclif.exit === 2;
};

/** oclif's message on one line, without its advice. */
const usageWords = (message: string): string =>
	message
		.replace(/\n?See more help with --help$/, "")
		.replace(/:\n/, ": ")
		.replace(/\n+/g, "; ")
		.replace(/\s{2,}/g, " ");

/** The base of all commands. */
export abstract class KnibCommand extends Command {
	static override readonly baseFlags = {
		json: Flags.boolean({
			summary: "print JSON",
			default: false,
			helpGroup: "GLOBAL",
		}),
		config: Flags.string({
			summary: "configuration file",
			helpValue: "FILE",
			helpGroup: "GLOBAL",
		}),
		socket: Flags.string({
			summary: "control socket of the daemon",
			helpValue: "PATH",
			helpGroup: "GLOBAL",
		}),
	};

	/** True where output is a stream of JSON lines, so that an error must be one of them. */
	protected lines = false;

	/** A connection to the daemon that flags, environment or configuration name. */
	protected async connection(flags: GlobalFlags): Promise<KnibClient> {
		return await openConnection(flags);
	}

	/** Runs `act` with a connection to the daemon and closes it. */
	protected async connected<T>(
		flags: GlobalFlags,
		act: (client: KnibClient) => Promise<T>,
	): Promise<T> {
		const client = await this.connection(flags);
		try {
			if (flags.host !== undefined) await client.api.host.show.query({ host: flags.host });
			return await act(client);
		} finally {
			await client.close();
		}
	}

	/** The flags of a command whose `--host` is a scope and not the host that does the work. */
	protected local(flags: GlobalFlags): GlobalFlags {
		const { json, config, socket } = flags;
		return { json, config, socket };
	}

	/** Prints a result: JSON, or text where there is any. */
	protected show<T>(flags: GlobalFlags, value: T, text: (value: T) => string): void {
		const words = flags.json ? jsonDocument(value) : text(value);
		if (words !== "") process.stdout.write(`${words}\n`);
	}

	/** Prints what a change did, or would do. */
	protected showOutcome<T>(
		flags: GlobalFlags,
		outcome: Outcome<T>,
		text: (result: T) => string,
	): void {
		if (outcome.done) this.show(flags, outcome.result, text);
		else this.show(flags, outcome.plan, planText);
	}

	/** A remark for people, on stderr. */
	protected note(text: string): void {
		process.stderr.write(`${text}\n`);
	}

	/** Says on stderr what the printed result lacks; with any, the command ends with 3. */
	protected showWarnings(warnings: readonly string[]): void {
		for (const warning of warnings) this.note(`warning: ${safe(warning)}`);
		if (warnings.length > 0) process.exitCode = 3;
	}

	protected async fail(error: ErrorView): Promise<void> {
		const { hint: _, ...details } = error.details;
		const view = { ...error, details };
		const { exitOf } = await import("./exit-code.ts");
		if (this.lines)
			process.stdout.write(`${jsonLine({ type: "result", job: null, error: view })}\n`);
		else if (this.argv.includes("--json"))
			process.stdout.write(`${jsonDocument({ error: view })}\n`);
		else process.stderr.write(`${errorText(view)}\n`);
		process.exitCode = exitOf(view.code);
	}

	protected override async catch(error: Error & { exitCode?: number }): Promise<void> {
		const { KnibError, viewError } = await import("@knib/core");
		if (error.name === "ExitError" || ("code" in error && error.code === "EEXIT")) throw error;
		const hint = `see \`knib ${this.id?.replaceAll(":", " ") ?? ""} --help\``;
		const known = isUsage(error)
			? new KnibError("USAGE", usageWords(error.message), {
					details: { hint },
				})
			: error;
		await this.fail(viewError(known));
	}
}
