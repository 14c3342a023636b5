// A QMP conversation with a child of ours (qemu-storage-daemon) over its stdin and stdout. Commands are answered in order; events
// are of no interest, states are asked for.
import { KnibError } from "@knib/core";
import { z } from "zod";
import type { Argv, Converse } from "./run-command.ts";

const DEADLINE_MS = 60_000;

const answerSchema = z.looseObject({
	return: z.unknown().optional(),
	error: z.looseObject({ desc: z.string() }).optional(),
	QMP: z.unknown().optional(),
	event: z.string().optional(),
});

type Answer = z.infer<typeof answerSchema>;

export type Qmp = {
	/** Runs a command and gives its answer. Rejects with COMMAND_FAILED when qemu refuses it or has gone, DEADLINE after a minute. */
	execute(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<unknown>;
	/** Ends the child: politely, then by force. */
	close(): Promise<void>;
};

type Waiter = { resolve(answer: Answer): void; reject(error: KnibError): void };

const failed = (message: string, cause?: unknown): KnibError =>
	new KnibError("COMMAND_FAILED", message, cause === undefined ? {} : { cause });

const parseAnswer = (line: string): Answer => {
	try {
		return answerSchema.parse(JSON.parse(line));
	} catch (cause) {
		throw failed("an answer of qemu-storage-daemon cannot be read", cause);
	}
};

/** Rejects when `work` takes longer than the deadline. */
const within = <T>(work: Promise<T>, what: string): Promise<T> =>
	new Promise((resolve, reject) => {
		const late = new KnibError("DEADLINE", `${what} did not come within ${DEADLINE_MS} ms`);
		const timer = setTimeout(() => reject(late), DEADLINE_MS);
		work.then(resolve, reject).finally(() => clearTimeout(timer));
	});

/** Starts a program that talks QMP and finishes its greeting. */
export const openQmp = async (converse: Converse, argv: Argv): Promise<Qmp> => {
	const waiters: Waiter[] = [];
	let gone: KnibError | undefined;
	const giveUp = (error: KnibError): void => {
		gone = gone ?? error;
		for (const waiter of waiters.splice(0)) waiter.reject(gone);
	};
	const child = converse(argv, (line) => {
		if (line.trim() === "") return;
		try {
			const answer = parseAnswer(line);
			if (answer.event === undefined) waiters.shift()?.resolve(answer);
		} catch (thrown) {
			giveUp(thrown instanceof KnibError ? thrown : failed(String(thrown)));
			child.kill();
		}
	});
	const ended = child.ended.then(({ exitCode, stderr }) => {
		const why = stderr.trim() === "" ? `exit code ${exitCode ?? "none"}` : stderr.trim();
		giveUp(failed(`${argv[0]} ended: ${why}`));
	});
	const next = (): Promise<Answer> =>
		new Promise((resolve, reject) => {
			if (gone === undefined) waiters.push({ resolve, reject });
			else reject(gone);
		});
	const execute: Qmp["execute"] = async (command, parameters = {}) => {
		const answer = next();
		child.write(JSON.stringify({ execute: command, arguments: parameters }));
		const { error, return: result } = await within(answer, `${command} of ${argv[0]}`);
		if (error !== undefined) throw failed(`${command} failed: ${error.desc}`);
		return result;
	};
	const close = async (): Promise<void> => {
		if (gone === undefined) await execute("quit").catch(() => undefined);
		await within(ended, `quit of ${argv[0]}`).catch(() => child.kill());
		await ended;
	};
	try {
		const greeting = next();
		await within(greeting, `the start of ${argv[0]}`);
		await execute("qmp_capabilities");
		return { execute, close };
	} catch (thrown) {
		child.kill();
		throw thrown;
	}
};
