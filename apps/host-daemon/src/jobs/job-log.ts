import { appendFile, mkdir, readFile } from "node:fs/promises";
import type { JobLogLine } from "@knib/core";
import { z } from "zod";

const lineSchema = z.object({
	at: z.string(),
	level: z.enum(["info", "warn", "error"]),
	text: z.string(),
});

/** The logs of jobs: append-only files of this host, not part of the store. */
export interface JobLogs {
	append(job: string, line: JobLogLine): void;
	/** All lines of a job; none when it never wrote one. */
	read(job: string): Promise<readonly JobLogLine[]>;
	/** Resolves when what was appended so far is written. */
	flush(): Promise<void>;
}

/** Job logs in a directory, created if missing. A line that cannot be written is dropped and reported. */
export const openJobLogs = async (
	directory: string,
	onProblem: (error: unknown) => void,
): Promise<JobLogs> => {
	await mkdir(directory, { recursive: true, mode: 0o700 });
	let tail: Promise<void> = Promise.resolve();
	return {
		append: (job, line) => {
			tail = tail
				.then(() =>
					appendFile(`${directory}/${job}.log`, `${JSON.stringify(line)}\n`, { mode: 0o600 }),
				)
				.catch(onProblem);
		},
		read: async (job) => {
			await tail;
			const text = await readFile(`${directory}/${job}.log`, "utf8").catch((error: unknown) => {
				if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
				throw error;
			});
			return text
				.split("\n")
				.filter((line) => line !== "")
				.flatMap((line) => {
					const parsed = lineSchema.safeParse(JSON.parse(line));
					return parsed.success ? [parsed.data] : [];
				});
		},
		flush: () => tail,
	};
};
