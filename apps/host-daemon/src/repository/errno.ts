// What an errno of the repository's file system means to knib; the one place that maps them.
import { type ErrorCode, KnibError } from "@knib/core";

/** Whether the failed call wanted to read or to change something. */
export type Access = "read" | "write";

/** The errno of a thrown value, such as `ENOENT`; undefined when it has none. */
export const errnoOf = (thrown: unknown): string | undefined =>
	thrown instanceof Error && "code" in thrown && typeof thrown.code === "string"
		? thrown.code
		: undefined;

type Meaning = { readonly code: ErrorCode; readonly words: string; readonly hint?: string };

const gone: Meaning = { code: "REPOSITORY_UNREACHABLE", words: "its file system does not answer" };
const full: Meaning = { code: "REPOSITORY_NO_SPACE", words: "no space is left" };
const missing: Meaning = { code: "REPOSITORY_INVALID", words: "it is missing" };
const link: Meaning = {
	code: "REPOSITORY_INVALID",
	words: "it is a symbolic link, which is not followed",
};

const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
	...["ESTALE", "EIO", "ETIMEDOUT", "ENOTCONN", "EHOSTDOWN", "EHOSTUNREACH", "ENETUNREACH"].map(
		(errno): [string, Meaning] => [errno, gone],
	),
	...["ECONNREFUSED", "ECONNRESET", "EREMOTEIO", "ENODEV", "ENXIO", "ESHUTDOWN"].map(
		(errno): [string, Meaning] => [errno, gone],
	),
	["ENOSPC", full],
	["EDQUOT", { ...full, words: "the quota is used up" }],
	["EROFS", { code: "REPOSITORY_READ_ONLY", words: "its file system is mounted read-only" }],
	["ENOENT", missing],
	["ENOTDIR", { code: "REPOSITORY_INVALID", words: "it is not a directory" }],
	["ELOOP", link],
	[
		"EXDEV",
		{
			code: "REPOSITORY_INVALID",
			words: "it lies on another file system or data set, where a rename cannot go",
			hint: "a repository's incoming, vms and trash must be on one file system",
		},
	],
]);

const meaningOf = (errno: string | undefined, access: Access): Meaning | undefined => {
	if (errno === undefined) return undefined;
	if (errno !== "EACCES" && errno !== "EPERM") return MEANINGS.get(errno);
	const words = "permission is denied";
	return access === "write"
		? { code: "REPOSITORY_READ_ONLY", words }
		: { code: "REPOSITORY_INVALID", words, hint: "let knibd's user read the directory" };
};

/** A failure of the repository's file system as a KnibError; one that is a KnibError already stays as it is. `attempted` reads as in "cannot …". */
export const repositoryError = (thrown: unknown, attempted: string, access: Access): KnibError => {
	if (thrown instanceof KnibError) return thrown;
	const errno = errnoOf(thrown);
	const meaning = meaningOf(errno, access);
	const own = thrown instanceof Error ? thrown.message : String(thrown);
	return new KnibError(
		meaning?.code ?? "INTERNAL",
		`cannot ${attempted}: ${meaning?.words ?? own}`,
		{
			cause: thrown,
			details: {
				...(errno === undefined ? {} : { errno }),
				...(meaning?.hint === undefined ? {} : { hint: meaning.hint }),
			},
		},
	);
};
