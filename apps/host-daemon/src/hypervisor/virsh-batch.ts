// Questions to libvirt go through a virsh that stays connected, those of one turn of the event loop together. What it cannot answer as a
// whole is asked again one by one, each of a virsh of its own, so that each failure is its own.
import type { Virsh } from "./virsh-client.ts";
import type { AskSession } from "./virsh-session.ts";

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

type Question = {
	readonly argv: readonly string[];
	readonly resolve: (answer: string | Promise<string>) => void;
};

const isQuestion = ([command = "", ...words]: readonly string[]): boolean =>
	(QUESTIONS.has(command) || (command === "blockjob" && words.includes("--info"))) &&
	words.every((word) => PLAIN.test(word));

/** A virsh whose questions are asked of a session. Everything else goes through `single`, at once. */
export const inBatches = (ask: AskSession, single: Virsh): Virsh => {
	let waiting: Question[] = [];
	const flush = async (): Promise<void> => {
		const questions = waiting.splice(0, MOST_AT_ONCE);
		if (waiting.length > 0) void flush();
		const answers = await ask(questions.map(({ argv }) => argv.join(" ")));
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
