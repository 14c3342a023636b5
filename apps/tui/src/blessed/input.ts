// From blessed's key events to ours.
import type { Key } from "../app/msg.ts";

const fieldOf = (value: unknown, name: string): unknown =>
	typeof value === "object" && value !== null
		? Object.entries(value).find(([key]) => key === name)?.[1]
		: undefined;

const NAMES: Readonly<Record<string, string>> = { " ": "space", "\t": "tab", linefeed: "enter" };

/** A key; null for events that mean none. blessed tells of enter twice, the second time as `return`. */
export const keyOf = (text: unknown, key: unknown): Key | null => {
	const full = fieldOf(key, "full");
	const typed =
		typeof text === "string" && text.length >= 1 && !/[\p{Cc}]/u.test(text) ? text : null;
	const name = typeof full === "string" ? full : typed;
	if (name === null || name === "return" || name === "mouse") return null;
	return { name: NAMES[name] ?? name, text: typed };
};
