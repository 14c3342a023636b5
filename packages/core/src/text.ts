// Values as people read them. Strings of guests, VMs and file systems are hostile: no control character reaches the terminal (I9).

// Control characters, and the invisible ones that turn the direction of text or break lines.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

const escaped = (character: string): string => {
	const code = character.codePointAt(0) ?? 0;
	return code <= 0xff
		? `\\x${code.toString(16).padStart(2, "0")}`
		: `\\u${code.toString(16).padStart(4, "0")}`;
};

/** A string on one line with control characters shown as escapes. */
export const safe = (text: string): string => text.replace(UNSAFE, escaped);

/** A string of several lines: line breaks and tabs stay. */
export const safeLines = (text: string): string =>
	text
		.split("\n")
		.map((line) => line.split("\t").map(safe).join("\t"))
		.join("\n");

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Bytes with a binary unit, such as `1.5 GiB`. */
export const size = (bytes: number): string => {
	const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
	const value = bytes / 1024 ** power;
	return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
};

/** Milliseconds as `1:02:03` or `0:32`. */
export const duration = (ms: number): string => {
	const seconds = Math.max(0, Math.round(ms / 1000));
	const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
	const two = (n: number) => String(n).padStart(2, "0");
	return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

/** An instant to the second, still in UTC. */
export const instant = (iso: string | null): string =>
	iso === null ? "-" : iso.replace(/\.\d+Z$/, "Z");

/** How ids are shown: their last 8 digits. */
export const short = (id: string | null): string => (id === null ? "-" : id.slice(-8));

/** A count with its noun: `1 backup`, `3 backups`. */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** Which key a host has, such as `2, since 2026-01-02T03:04:05Z`. */
export const keyWords = ({
	number,
	since,
}: {
	readonly number: number;
	readonly since: string | null;
}): string => (since === null ? String(number) : `${number}, since ${instant(since)}`);
