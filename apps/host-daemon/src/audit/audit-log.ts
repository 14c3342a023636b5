// The audit trail of this host: append-only files in the state directory, one a month, a line of JSON for each event. Nothing of it is replicated.
import { appendFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditEvent, auditEventSchema, type EventFilter } from "@knib/core";

export interface AuditLog {
	/** Adds an event with the time of now. Never rejects: what cannot be written is reported, and the work goes on. */
	append(event: Omit<AuditEvent, "at"> & Record<string, unknown>): void;
	/** Oldest first. Rejects when the files cannot be read. */
	read(filter: EventFilter): Promise<readonly AuditEvent[]>;
	/** Resolves when all that was added is written. */
	flush(): Promise<void>;
}

type Options = {
	readonly directory: string;
	readonly now: () => string;
	readonly onProblem: (error: unknown) => void;
};

const MONTH = /^(\d{4}-\d{2})\.jsonl$/;

const parseLine = (line: string): AuditEvent | undefined => {
	try {
		return auditEventSchema.safeParse(JSON.parse(line)).data;
	} catch {
		// A line that a crash has cut short.
		return undefined;
	}
};

const parseLines = (text: string): readonly AuditEvent[] =>
	text.split("\n").flatMap((line) => {
		const event = line === "" ? undefined : parseLine(line);
		return event === undefined ? [] : [event];
	});

const isWanted = ({ since, vm }: EventFilter, event: AuditEvent): boolean =>
	(since === undefined || Date.parse(event.at) >= Date.parse(since)) &&
	(vm === undefined || event.vm?.name === vm || event.vm?.uuid === vm);

/** Opens the trail, making its directory. Rejects when that cannot be made. */
export const openAuditLog = async (options: Options): Promise<AuditLog> => {
	const { directory, now, onProblem } = options;
	await mkdir(directory, { recursive: true, mode: 0o700 });
	let turn: Promise<void> = Promise.resolve();
	const read: AuditLog["read"] = async (filter) => {
		await turn;
		const from = filter.since === undefined ? "" : new Date(filter.since).toISOString().slice(0, 7);
		const months = (await readdir(directory))
			.filter((name) => (MONTH.exec(name)?.[1] ?? "") >= from && MONTH.test(name))
			.sort();
		const events: AuditEvent[] = [];
		for (const name of months) {
			events.push(...parseLines(await readFile(join(directory, name), "utf8")));
		}
		return events.filter((event) => isWanted(filter, event)).slice(-filter.limit);
	};
	return {
		append: (event) => {
			const at = now();
			const line = `${JSON.stringify({ at, ...event })}\n`;
			const file = join(directory, `${at.slice(0, 7)}.jsonl`);
			turn = turn.then(() => appendFile(file, line, { mode: 0o600 })).catch(onProblem);
		},
		read,
		flush: () => turn,
	};
};
