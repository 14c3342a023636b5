// Turns what file system, LevelDB and PouchDB throw into the errors of the store.
import { StoreError, type StoreErrorCode } from "@knib/core";

const FULL = /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i;
const LOCKED = /\block\b.*(resource temporarily unavailable|already held by process)/i;

const field = (thrown: object, name: string): unknown =>
	name in thrown ? Reflect.get(thrown, name) : undefined;

/** Everything an error says, with the words of its causes: PouchDB hides LevelDB's in `reason`. */
const wordsOf = (thrown: unknown, depth = 0): string => {
	if (typeof thrown !== "object" || thrown === null || depth > 4) return String(thrown);
	const words = ["message", "reason", "code"]
		.map((name) => field(thrown, name))
		.filter((word) => typeof word === "string");
	const cause = field(thrown, "cause");
	return [...words, ...(cause === undefined ? [] : [wordsOf(cause, depth + 1)])].join(": ");
};

const codeOf = (words: string): StoreErrorCode => {
	if (FULL.test(words)) return "STORE_FULL";
	return LOCKED.test(words) ? "STORE_LOCKED" : "STORE_FAILED";
};

/** The StoreError of a failure, `what` being what was attempted, as in "store /x could not be opened". */
export const storeError = (what: string, thrown: unknown): StoreError => {
	if (thrown instanceof StoreError) return thrown;
	const words = wordsOf(thrown);
	const code = codeOf(words);
	const why = code === "STORE_LOCKED" ? "it is in use by another process" : words;
	return new StoreError(code, `${what}: ${why}`, { cause: thrown });
};
