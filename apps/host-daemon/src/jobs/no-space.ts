import { asKnibError, KnibError } from "@knib/core";

const WORDS = /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/i;

/** The error of a program or a call that ran out of space, as the code that says where; any other error as it is. */
export const asNoSpace = (
	thrown: unknown,
	code: "REPOSITORY_NO_SPACE" | "STORAGE_NO_SPACE",
	what: string,
): KnibError => {
	const error = asKnibError(thrown);
	const text = `${error.message} ${String(error.details["stderr"] ?? "")}`;
	if (!WORDS.test(text) || error.code === code) return error;
	return new KnibError(code, `${what}: no space left`, { cause: thrown, details: error.details });
};
