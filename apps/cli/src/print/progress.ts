import type { JobEvent } from "@knib/core";
import { duration, safe, size } from "./text.ts";

type ProgressEvent = Extract<JobEvent, { type: "progress" }>;

const BAR = 24;

const amount = (value: number, unit: string): string =>
	unit === "bytes" ? size(value) : String(Math.round(value));

/** A line such as `3/12 copy-layer [######------] 48%  1.2 GiB of 2.5 GiB  110.0 MiB/s  ETA 0:12`. */
export const progressLine = ({ phase, progress }: ProgressEvent): string => {
	const { done, total, unit, rate, etaMs } = progress;
	const fraction = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
	const filled = Math.round(fraction * BAR);
	const parts = [
		phase === null ? "" : `${phase.index}/${phase.count} ${safe(phase.name)}`,
		`[${"#".repeat(filled)}${"-".repeat(BAR - filled)}] ${Math.floor(fraction * 100)}%`,
		unit === "percent" ? "" : `${amount(done, unit)} of ${amount(total, unit)}`,
		unit === "bytes" && rate > 0 ? `${size(rate)}/s` : "",
		etaMs === null ? "" : `ETA ${duration(etaMs)}`,
	];
	return parts.filter((part) => part !== "").join("  ");
};

type Stream = { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };

/** A line at the bottom of the terminal that is painted over; on a stream that is no terminal it is never shown. */
export const createProgressBar = (stream: Stream) => {
	let shown = false;
	const clear = (): void => {
		if (shown) stream.write("\r\u001b[K");
		shown = false;
	};
	return {
		clear,
		show: (line: string): void => {
			if (stream.isTTY !== true) return;
			stream.write(`\r\u001b[K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
			shown = true;
		},
	};
};
export type ProgressBar = ReturnType<typeof createProgressBar>;
