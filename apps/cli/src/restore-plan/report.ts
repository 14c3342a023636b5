// The progress of a restore plan: lines of JSON on stdout, or words and a bar on stderr.
import type { JobEvent, RestoreState } from "@knib/core";
import { lineOfEvent } from "../print/job-line.ts";
import { jsonLine } from "../print/json.ts";
import { createProgressBar, progressLine } from "../print/progress.ts";
import { safe, short } from "../print/text.ts";

type Stream = Parameters<typeof createProgressBar>[0];
type Streams = { readonly stdout: Pick<Stream, "write">; readonly stderr: Stream };

const stateText = (state: RestoreState, job: string | null): string => {
	if (state.state === "running") return `job ${short(job)}`;
	return "reason" in state ? `${state.state}: ${state.reason}` : state.state;
};

/** Where a plan's events go; each says of which entry it is. */
export const createReport = (json: boolean, { stdout, stderr }: Streams = process) => {
	const bar = createProgressBar(stderr);
	const line = (value: Readonly<Record<string, unknown>>): void => {
		stdout.write(`${jsonLine(value)}\n`);
	};
	const note = (text: string): void => {
		bar.clear();
		stderr.write(`${safe(text)}\n`);
	};
	return {
		clear: bar.clear,
		onEvent: (entry: string, event: JobEvent): void => {
			const told = lineOfEvent(event);
			if (json) {
				if (told !== undefined) line({ ...told, entry });
			} else if (event.type === "progress") bar.show(`${safe(entry)} ${progressLine(event)}`);
			else if (event.type === "log") {
				const level = event.line.level === "info" ? "" : `${event.line.level}: `;
				note(`${entry}: ${level}${event.line.text}`);
			}
		},
		onState: (entry: string, state: RestoreState, job: string | null): void => {
			if (!json) note(`${entry}: ${stateText(state, job)}`);
			else if (state.state !== "running") line({ type: "progress", entry, job, ...state });
		},
		onInterrupt: (): void =>
			note("cancelling what runs and waiting for the undo; interrupt again to leave at once"),
	};
};
