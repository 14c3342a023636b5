// Questions to libvirt that are asked at the same time go through one virsh: starting and connecting it costs more than the answer
// (20 ms against 1 ms). What one process cannot answer as a whole is asked again one by one, so that each failure is its own.
import type { IdSource } from "@knib/core";
import { type Run, textOf } from "./run-command.ts";
import type { Virsh } from "./virsh-client.ts";

/** Commands that change nothing. */
const QUESTIONS: ReadonlySet<string> = new Set([
	"checkpoint-list",
	"dominfo",
	"domstate",
	"domstats",
	"dumpxml",
	"list",
	"managedsave-dumpxml",
	"snapshot-dumpxml",
	"snapshot-list",
]);

/** Words that virsh reads as they are in a line of commands; others would need its quotes. */
const PLAIN = /^[A-Za-z0-9_.:=/-]+$/;

const MOST_AT_ONCE = 64;
const DEADLINE_MS = 120_000;
const NONCE_BYTES = 16;

type Question = {
	readonly argv: readonly string[];
	readonly resolve: (answer: string | Promise<string>) => void;
};

const isQuestion = ([command = "", ...words]: readonly string[]): boolean =>
	(QUESTIONS.has(command) || (command === "blockjob" && words.includes("--info"))) &&
	words.every((word) => PLAIN.test(word));

type BatchDeps = {
	readonly uri: string;
	readonly run: Run;
	readonly ids: Pick<IdSource, "random">;
};

/** The answers in the order asked; undefined when one of them failed. */
const askTogether = async (
	{ uri, run, ids }: BatchDeps,
	questions: readonly Question[],
): Promise<readonly string[] | undefined> => {
	const end = ids.random(NONCE_BYTES);
	const line = questions.map(({ argv }) => `${argv.join(" ")}; echo ${end}`).join("; ");
	try {
		const result = await run(["virsh", "-q", "-c", uri, line], { deadlineMs: DEADLINE_MS });
		// The exit code is the last command's only.
		if (result.stderr.trim() !== "") return undefined;
		const answers = textOf(result).split(end);
		return answers.length === questions.length + 1 ? answers : undefined;
	} catch {
		return undefined;
	}
};

/** A virsh that asks what is asked in one turn of the event loop together. Everything else goes through `single`, at once. */
export const inBatches = (deps: BatchDeps, single: Virsh): Virsh => {
	let waiting: Question[] = [];
	const flush = async (): Promise<void> => {
		const questions = waiting.splice(0, MOST_AT_ONCE);
		if (waiting.length > 0) void flush();
		const answers = questions.length > 1 ? await askTogether(deps, questions) : undefined;
		for (const [index, { argv, resolve }] of questions.entries()) {
			resolve(answers?.[index] ?? single(argv));
		}
	};
	return (argv, options) => {
		if (options !== undefined || !isQuestion(argv)) return single(argv, options);
		return new Promise((resolve) => {
			waiting = [...waiting, { argv, resolve }];
			if (waiting.length === 1) setImmediate(() => void flush());
		});
	};
};
