// A virsh that stays connected and answers lines of commands: starting and connecting one costs 20 ms, an answer 1 ms. It reads its commands
// from a pipe, as its interactive shell: what it is told comes back first, then what the commands say, then its prompt. `echo` sets a mark
// after each answer, on stderr too, where its errors go; in what comes back the mark is in two pieces, so that it is never found there.
import type { IdSource } from "@knib/core";
import type { Converse } from "./run-command.ts";

/** What the commands of a line said, in their order; `undefined` where one failed, or nobody answered. */
export type AskSession = (commands: readonly string[]) => Promise<readonly string[] | undefined>;

const SESSIONS = 4;
const NONCE_BYTES = 16;
/** A VM's lock may be held for 30 s; who is behind it is not to wait for that. */
const ANSWER_MS = 10_000;
const IDLE_MS = 5000;
/** How long none is started after one that did not answer at all: a virsh that was built without an interactive shell keeps its answers to its end. */
const MISTRUST_MS = 300_000;
const MAXIMUM_ANSWER = 64 * 1024 * 1024;

type Deps = {
	readonly uri: string;
	readonly converse: Converse;
	readonly ids: Pick<IdSource, "random">;
};

type Exchange = {
	readonly mark: string;
	readonly wanted: number;
	readonly end: (answers: readonly string[] | undefined) => void;
	said: string[];
	size: number;
	marks: number;
	errors: string;
};

const countOf = (text: string, part: string): number => text.split(part).length - 1;

const isAnswered = ({ marks, wanted, errors, mark }: Exchange): boolean =>
	marks >= wanted && errors.includes(mark);

/** The parts between the marks, unless there is one too many, or something else was said on stderr. */
const answersOf = ({
	said,
	mark,
	marks,
	wanted,
	errors,
}: Exchange): readonly string[] | undefined =>
	marks === wanted && errors.trim() === `error: ${mark}`
		? said.join("\n").split(mark).slice(1, -1)
		: undefined;

const openSession = ({ uri, converse, ids }: Deps, onEnd: () => void) => {
	let exchange: Exchange | undefined;
	let alive = true;
	const end = (): void => {
		alive = false;
		child.kill();
		onEnd();
	};
	const idle = setTimeout(() => {
		if (alive && exchange === undefined) end();
	}, IDLE_MS).unref();
	const look = (): void => {
		if (exchange !== undefined && isAnswered(exchange)) exchange.end(answersOf(exchange));
	};
	const onLine = (line: string): void => {
		if (exchange === undefined) return;
		exchange.said.push(line);
		exchange.size += line.length;
		exchange.marks += countOf(line, exchange.mark);
		if (exchange.size > MAXIMUM_ANSWER) exchange.end(undefined);
		look();
	};
	const onError = (text: string): void => {
		if (exchange !== undefined) exchange.errors += text;
		look();
	};
	const child = converse(["virsh", "-q", "-c", uri], onLine, { onError });
	void child.ended.then(() => {
		if (alive) end();
		exchange?.end(undefined);
	});
	return {
		isFree: (): boolean => alive && exchange === undefined,
		/** Asks and waits. A session in which anything failed has ended. */
		ask: (commands: readonly string[]): Promise<readonly string[] | undefined> =>
			new Promise((resolve) => {
				const mark = ids.random(NONCE_BYTES);
				const late = setTimeout(() => exchange?.end(undefined), ANSWER_MS);
				exchange = {
					mark,
					wanted: commands.length + 1,
					end: (answers) => {
						clearTimeout(late);
						exchange = undefined;
						if (answers !== undefined) idle.refresh();
						else if (alive) end();
						resolve(answers);
					},
					said: [],
					size: 0,
					marks: 0,
					errors: "",
				};
				const said = `'${mark.slice(0, 2)}''${mark.slice(2)}'`;
				const parts = [`echo ${said}`, ...commands.flatMap((one) => [one, `echo ${said}`])];
				// The empty line ends the one that the last mark stands in.
				child.write(`${[...parts, `echo --err ${said}`].join("; ")}\n`);
			}),
	};
};

/** Asks one of some sessions, which are started when needed and end when nobody asks. Only for commands that change nothing, of words that need no quotes. */
export const createSessions = (deps: Deps): AskSession => {
	let sessions: readonly ReturnType<typeof openSession>[] = [];
	let mistrustedUntil = 0;
	const open = () => {
		const session = openSession(deps, () => {
			sessions = sessions.filter((one) => one !== session);
		});
		sessions = [...sessions, session];
		return session;
	};
	return async (commands) => {
		const free = sessions.find((one) => one.isFree());
		if (free !== undefined) return free.ask(commands);
		if (sessions.length >= SESSIONS || performance.now() < mistrustedUntil) return undefined;
		const since = performance.now();
		const answers = await open().ask(commands);
		if (performance.now() - since >= ANSWER_MS) mistrustedUntil = performance.now() + MISTRUST_MS;
		return answers;
	};
};
