// How a host's keys follow each other. A succession is text: the first key, whose hash is the host's id, and for each later one the
// signature of the key before it. Here is its form only; whether the signatures hold is looked at where there is cryptography.
import { canonicalJson } from "./canonical-json.ts";

/** Keys that a host may have in its life. */
export const MOST_KEYS = 32;

const KEY = "[A-Za-z0-9_-]{43}";
const SIGNATURE = "[A-Za-z0-9_-]{86}";
/** Characters of a key, a signature and the two dots after them. */
const STEP = 43 + 86 + 2;
const ONE_SIGNATURE = new RegExp(`^${SIGNATURE}$`);
const SUCCESSION = new RegExp(`^(?:${KEY}\\.${SIGNATURE}\\.){0,${MOST_KEYS - 1}}${KEY}$`);

/** The longest signature that a host can make: its succession, and what signs the text. */
export const LONGEST_SIGNATURE = MOST_KEYS * STEP - 1;

/** The keys of a succession, the first one first; undefined when the text is none. */
export const keysOf = (succession: string): readonly string[] | undefined =>
	succession.length < LONGEST_SIGNATURE && SUCCESSION.test(succession)
		? succession.split(".").filter((_, at) => at % 2 === 0)
		: undefined;

/** Which key of its host the newest one of a succession is, from 1; 0 when the text is none. */
export const keyNumber = (succession: string): number => keysOf(succession)?.length ?? 0;

/** A signature in its two parts: the succession of keys up to the one that has signed, unproven, and what that one made; undefined when the text is none. */
export const splitSignature = (
	sig: string,
): { readonly succession: string; readonly signature: string } | undefined => {
	const at = sig.lastIndexOf(".");
	const signature = sig.slice(at + 1);
	return at < 0 || !ONE_SIGNATURE.test(signature)
		? undefined
		: { succession: sig.slice(0, at), signature };
};

/** True when a succession is another one or goes on from it. One that branched off, or ends before it, does not. */
export const continues = (succession: string, known: string): boolean => {
	const [keys, before] = [keysOf(succession), keysOf(known)];
	if (keys === undefined || before === undefined) return false;
	return before.every((key, at) => keys[at] === key);
};

/** What a key signs for the one that takes its place, which is the host's key of this number. */
export const keyText = (host: string, number: number, key: string): string =>
	`knib-key-1\n${canonicalJson({ host, number, key })}`;
