// The journal: one file a job, one line an entry, each fsynced before the step it announces. A last line that is torn was never
// acknowledged and is dropped; any other line that cannot be read makes the file unusable, and it is said so, never guessed.
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { type JournalEntry, journalEntrySchema, KnibError } from "@knib/core";

/** The open journal of one job. */
export interface JobJournal {
	/** Appends and fsyncs. Rejects with STORE_FULL or STORE_FAILED; nothing that follows may be done then. */
	append(entry: JournalEntry): Promise<void>;
	/** Closes the file and keeps it, to be gone on with later. */
	leave(): Promise<void>;
	/** Ends and removes it. */
	close(): Promise<void>;
}

/** All journals of this host. */
export interface Journal {
	create(job: string): Promise<JobJournal>;
	/** Continues the journal of a job after a crash. */
	reopen(job: string): Promise<JobJournal>;
	/** Jobs whose journal was not closed, with their entries; `problem` where a file cannot be read. */
	unfinished(): Promise<readonly UnfinishedJournal[]>;
}

export type UnfinishedJournal =
	| { readonly job: string; readonly entries: readonly JournalEntry[] }
	| { readonly job: string; readonly problem: KnibError };

const SUFFIX = ".journal";

const encode = (entry: JournalEntry): string => {
	const text = JSON.stringify(entry);
	return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
};

const corrupt = (file: string, index: number): KnibError =>
	new KnibError("JOURNAL_CORRUPT", `journal ${file} cannot be read at line ${index + 1}`);

/** The text of a whole line; undefined for one that is torn or damaged. */
const wholeText = (line: string): string | undefined => {
	const text = line.slice(9);
	return line.slice(0, 8) === crc32(text).toString(16).padStart(8, "0") ? text : undefined;
};

/** The entries of a journal's text. Only a last line that is not whole may be passed over, since it was never acknowledged. Throws JOURNAL_CORRUPT for any other line that cannot be read, also for a whole one of another version of knib. */
export const parseJournal = (text: string, file: string): readonly JournalEntry[] => {
	const lines = text.split("\n");
	const torn = lines.pop() ?? "";
	const entries: JournalEntry[] = [];
	for (const [index, line] of lines.entries()) {
		const whole = wholeText(line);
		if (whole === undefined) {
			if (index < lines.length - 1 || torn !== "") throw corrupt(file, index);
			continue;
		}
		const parsed = journalEntrySchema.safeParse(JSON.parse(whole));
		if (!parsed.success) throw corrupt(file, index);
		entries.push(parsed.data);
	}
	return entries;
};

const failure = (thrown: unknown, file: string): KnibError => {
	const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
	const full = code === "ENOSPC" || code === "EDQUOT";
	const text = thrown instanceof Error ? thrown.message : String(thrown);
	return new KnibError(
		full ? "STORE_FULL" : "STORE_FAILED",
		`journal ${file} could not be written: ${text}`,
		{
			cause: thrown,
		},
	);
};

const syncDirectory = async (directory: string): Promise<void> => {
	const handle = await open(directory, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

type Hooks = {
	/** Called after each line is durable, with the number of lines this process has written; crash tests stop the process here. */
	readonly onLine?: (count: number) => void;
};

/** The journals in a directory of this host, created if missing. */
export const openJournal = async (directory: string, hooks: Hooks = {}): Promise<Journal> => {
	await mkdir(directory, { recursive: true, mode: 0o700 });
	let lines = 0;
	const fileOf = (job: string): string => `${directory}/${job}${SUFFIX}`;
	const start = async (job: string, flags: string): Promise<JobJournal> => {
		const file = fileOf(job);
		const handle = await open(file, flags, 0o600).catch((error: unknown) => {
			throw failure(error, file);
		});
		await syncDirectory(directory);
		let length = (await handle.stat()).size;
		let tail: Promise<void> = Promise.resolve();
		const write = async (entry: JournalEntry): Promise<void> => {
			const line = Buffer.from(encode(entry));
			try {
				await handle.appendFile(line);
				await handle.datasync();
			} catch (error) {
				await handle.truncate(length).catch(() => undefined);
				throw failure(error, file);
			}
			length += line.length;
			lines += 1;
			hooks.onLine?.(lines);
		};
		return {
			append: (entry) => {
				tail = tail.catch(() => undefined).then(() => write(entry));
				return tail;
			},
			leave: () => handle.close(),
			close: async () => {
				await handle.close();
				await unlink(file);
				await syncDirectory(directory);
			},
		};
	};
	const dropTorn = async (job: string): Promise<void> => {
		const file = fileOf(job);
		const text = await readFile(file, "utf8");
		const whole = text.slice(0, text.lastIndexOf("\n") + 1);
		const entries = parseJournal(text, file);
		const kept = entries.map(encode).join("");
		if (kept === text || (kept === whole && whole === text)) return;
		const handle = await open(`${file}.tmp`, "w", 0o600);
		try {
			await handle.writeFile(kept);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(`${file}.tmp`, file);
		await syncDirectory(directory);
	};
	return {
		create: (job) => start(job, "ax"),
		reopen: async (job) => {
			await dropTorn(job);
			return start(job, "a");
		},
		unfinished: async () => {
			const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX)).sort();
			return Promise.all(
				names.map(async (name): Promise<UnfinishedJournal> => {
					const job = name.slice(0, -SUFFIX.length);
					try {
						return { job, entries: parseJournal(await readFile(fileOf(job), "utf8"), fileOf(job)) };
					} catch (error) {
						const problem =
							error instanceof KnibError
								? error
								: new KnibError("JOURNAL_CORRUPT", `journal ${name} cannot be read`, {
										cause: error,
									});
						return { job, problem };
					}
				}),
			);
		},
	};
};
