// JSON for scripts. What a terminal could take for control characters is written as escapes; the value stays the same.
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (character: string): string =>
	`\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** One document, indented. */
export const jsonDocument = (value: unknown): string =>
	JSON.stringify(value, null, 2).replace(UNSAFE, escaped);

/** One line of a stream of events. */
export const jsonLine = (value: unknown): string => JSON.stringify(value).replace(UNSAFE, escaped);
