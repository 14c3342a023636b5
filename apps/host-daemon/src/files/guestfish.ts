// A conversation with guestfish, which runs libguestfs' appliance: a throw-away VM without a network whose own kernel parses the
// file systems of a backup. One command a line; the end of each answer is known by a mark that no guest can guess.
import { randomBytes } from "node:crypto";
import { KnibError } from "@knib/core";
import type { Argv, Converse } from "../hypervisor/run-command.ts";

/** What a command printed, and what it said on stderr. A command that failed prints nothing. */
export type Answer = { readonly lines: readonly string[]; readonly errors: string };

export type Guestfish = {
	/** Runs a command line. Rejects with DEADLINE, or with APPLIANCE_UNAVAILABLE when guestfish has gone; it is over then. */
	readonly ask: (line: string, deadlineMs?: number) => Promise<Answer>;
	/** Ends guestfish and its appliance; repeatable. */
	readonly close: () => Promise<void>;
};

/** Starts guestfish with its files in a directory of its own. */
export type StartGuestfish = (directory: string) => Guestfish;

/** Without KVM and beside other work the first questions, which look for volumes, take long. */
const DEADLINE_MS = 300_000;
const CLOSE_MS = 10_000;
/** Lines of one answer; more is nothing that knib asks for. */
const MOST_LINES = 100_000;
const MOST_ERRORS = 4000;
const NOT_FOUND = 127;

const argvIn = (directory: string): Argv => [
	"nice",
	"-n",
	"5",
	"env",
	"LIBGUESTFS_BACKEND=direct",
	`LIBGUESTFS_TMPDIR=${directory}`,
	"guestfish",
];

const unavailable = (exitCode: number | undefined, stderr: string): KnibError => {
	if (exitCode === NOT_FOUND) {
		return new KnibError("APPLIANCE_UNAVAILABLE", "guestfish is not installed", {
			details: { hint: "apt-get install guestfish (Fedora: dnf install guestfs-tools)" },
		});
	}
	const why = stderr.trim() === "" ? `exit code ${exitCode ?? "none"}` : stderr.trim();
	return new KnibError("APPLIANCE_UNAVAILABLE", `guestfish ended: ${why}`);
};

type Waiter = {
	readonly mark: string;
	readonly lines: string[];
	readonly resolve: (lines: readonly string[]) => void;
	readonly reject: (error: KnibError) => void;
};

/** The real {@link StartGuestfish}. guestfish dies with this process, and its appliance with it. */
export const startGuestfish =
	(converse: Converse): StartGuestfish =>
	(directory) => {
		const waiters: Waiter[] = [];
		let errors = "";
		let gone: KnibError | undefined;
		const giveUp = (error: KnibError): void => {
			gone ??= error;
			for (const waiter of waiters.splice(0)) waiter.reject(gone);
		};
		const onLine = (line: string): void => {
			const [waiter] = waiters;
			if (waiter === undefined) return;
			if (line === waiter.mark) {
				waiters.shift();
				waiter.resolve(waiter.lines);
			} else if (waiter.lines.length < MOST_LINES) waiter.lines.push(line);
		};
		const onError = (text: string): void => {
			errors = (errors + text).slice(-MOST_ERRORS);
		};
		const child = converse(argvIn(directory), onLine, { onError });
		const ended = child.ended.then(({ exitCode, stderr }) => giveUp(unavailable(exitCode, stderr)));
		const ask: Guestfish["ask"] = async (line, deadlineMs = DEADLINE_MS) => {
			if (gone !== undefined) throw gone;
			const late = setTimeout(() => {
				giveUp(new KnibError("DEADLINE", `guestfish did not answer within ${deadlineMs} ms`));
				child.kill();
			}, deadlineMs);
			try {
				const lines = await new Promise<readonly string[]>((resolve, reject) => {
					const mark = randomBytes(16).toString("hex");
					waiters.push({ mark, lines: [], resolve, reject });
					// a dash goes on after a failure
					child.write(`-${line}\necho ${mark}`);
				});
				// what was said on the other pipe before the mark has arrived by the next turn of the loop
				await new Promise((resolve) => setImmediate(resolve));
				const said = errors;
				errors = "";
				return { lines, errors: said };
			} finally {
				clearTimeout(late);
			}
		};
		const close: Guestfish["close"] = async () => {
			if (gone === undefined) child.write("exit");
			const late = setTimeout(() => child.kill(), CLOSE_MS);
			await ended;
			clearTimeout(late);
		};
		return { ask, close };
	};
