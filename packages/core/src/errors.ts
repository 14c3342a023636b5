// The one error type of knib and the table of its codes. A code maps to exactly one exit code of the command line; a test
// holds this table, docs/errors.md and the uses together.

/** When a failed piece of work may be tried again: never by itself, soon, or after an operator has acted. */
export type Retry = "no" | "soon" | "operator";

type ErrorRow = {
	readonly exit: 1 | 2 | 4 | 5 | 6 | 7 | 8 | 130;
	readonly retry: Retry;
	readonly summary: string;
	readonly hint: string;
};

const row = (exit: ErrorRow["exit"], retry: Retry, summary: string, hint: string): ErrorRow => ({
	exit,
	retry,
	summary,
	hint,
});

/** Every error code with its exit code, its retry policy, what it means, and what the user can do. */
export const ERRORS = {
	USAGE: row(2, "no", "the request is malformed", "see --help for the accepted form"),
	AMBIGUOUS_ID: row(
		2,
		"no",
		"an id or name matches more than one thing",
		"give more of the id; the candidates are listed",
	),
	SETTING_UNKNOWN: row(2, "no", "no such setting", "see `knib settings list`"),
	SETTING_INVALID: row(
		2,
		"no",
		"a setting's value is not acceptable",
		"give a value of the accepted form",
	),
	CONFIG_INVALID: row(
		2,
		"operator",
		"the configuration file is not acceptable",
		"correct the named key in the configuration",
	),
	NOT_FOUND: row(4, "no", "no such thing", "list what there is with the topic's `list` command"),
	VM_NOT_FOUND: row(4, "no", "no such VM on this host", "see `knib vm list`"),
	EXISTS: row(5, "no", "it already exists", "choose another name"),
	VM_BUSY: row(
		5,
		"soon",
		"another job works on this VM",
		"wait for it: `knib job list --executing`",
	),
	BACKUP_BUSY: row(
		5,
		"soon",
		"another job uses this backup or its chain",
		"wait for it: `knib job list --executing`",
	),
	LEASE_HELD: row(
		5,
		"soon",
		"another host holds the VM's lease in the repository",
		"wait until that host has finished",
	),
	STORE_LOCKED: row(
		5,
		"operator",
		"another process uses this state directory",
		"stop the other knibd, or give this one its own state directory",
	),
	REFUSED: row(
		6,
		"no",
		"refused before anything was touched",
		"the message says what stands in the way",
	),
	VM_STATE: row(
		6,
		"no",
		"the VM's state does not allow it",
		"bring the VM into a state that the message names",
	),
	AGENT_SILENT: row(
		6,
		"soon",
		"the guest agent did not answer",
		"start qemu-guest-agent in the guest, or leave --quiesce out",
	),
	APPLIANCE_UNAVAILABLE: row(
		6,
		"operator",
		"the appliance that reads file systems cannot be started on this host",
		"`knib doctor` says what is missing and how to install it",
	),
	FILE_SYSTEM_UNREADABLE: row(
		6,
		"no",
		"a file system in a backup cannot be read",
		"it is damaged or of a kind that is not supported; restore the disk and look at it there",
	),
	DISK_UNSUPPORTED: row(
		6,
		"no",
		"a disk is of a kind that cannot be backed up safely",
		"exclude it with --exclude-disk",
	),
	REPOSITORY_INVALID: row(
		6,
		"operator",
		"the directory is not a usable knib repository",
		"check the path and that its file system is mounted",
	),
	REPOSITORY_FORMAT: row(
		6,
		"operator",
		"the repository was written by a newer knib",
		"upgrade knib on this host",
	),
	REPOSITORY_READ_ONLY: row(
		6,
		"operator",
		"the repository cannot be written",
		"remount it read-write or mend its permissions",
	),
	REPOSITORY_NO_SPACE: row(
		1,
		"operator",
		"the repository has no space left",
		"free space or choose another repository",
	),
	STORAGE_NO_SPACE: row(
		1,
		"operator",
		"the VM's storage has no space left",
		"free space on the VM's storage",
	),
	VERIFY_FAILED: row(
		7,
		"no",
		"data is not what it should be",
		"see the named file; restore from another backup",
	),
	MANIFEST_INVALID: row(
		7,
		"operator",
		"a manifest cannot be trusted",
		"see the named file; `knib repository verify` checks the rest",
	),
	DAEMON_UNREACHABLE: row(
		8,
		"soon",
		"no knibd answers on the control socket",
		"start it with `knib daemon run` and see its log",
	),
	LIBVIRT_UNREACHABLE: row(
		8,
		"soon",
		"libvirt does not answer",
		"check that libvirtd runs and the URI is right: `knib doctor`",
	),
	PEER_UNREACHABLE: row(
		8,
		"soon",
		"a peer cannot be reached",
		"see `knib peer list`; what it was last known to have stays visible",
	),
	PAIRING_FAILED: row(
		6,
		"no",
		"the pairing was refused",
		"make a new code on the other host with `knib peer invite`",
	),
	REPOSITORY_UNREACHABLE: row(8, "soon", "the repository does not answer", "check its mount"),
	STORE_FAILED: row(
		1,
		"operator",
		"the store on this host cannot be used",
		"see the daemon's log; the store can be deleted and is rebuilt by `knib repository rescan`",
	),
	STORE_FULL: row(
		1,
		"operator",
		"the file system of the state directory is full",
		"free space there and start knibd again",
	),
	STORE_FORMAT: row(
		6,
		"operator",
		"the store was written by another version",
		"upgrade knib, or delete the store and rescan",
	),
	JOURNAL_CORRUPT: row(
		1,
		"operator",
		"a journal file on this host cannot be read",
		"see the named file; `knib doctor` shows what the VM looks like",
	),
	COMMAND_FAILED: row(
		1,
		"no",
		"a program that knib runs has failed",
		"its output is in the job's log",
	),
	VALIDATION_UNABLE: row(
		1,
		"soon",
		"this host cannot validate the backup now",
		"the message says what of the host is in the way; the backup itself is not in doubt",
	),
	DEADLINE: row(1, "soon", "a deadline has passed", "see the job's log for what was waited for"),
	CANCELLED: row(
		130,
		"no",
		"cancelled on request",
		"nothing was left behind; start it again when wanted",
	),
	INTERRUPTED: row(
		1,
		"soon",
		"the daemon stopped in the middle of it",
		"what was begun has been undone; start it again",
	),
	JOB_FAILED: row(1, "no", "the job failed", "see `knib job log`"),
	INTERNAL: row(1, "no", "a defect in knib", "please report it with the daemon's log"),
} as const satisfies Record<string, ErrorRow>;

/** A code of the table above. */
export type ErrorCode = keyof typeof ERRORS;

/** Facts that go with an error; plain data, since it crosses the control socket. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The one error class: its `code` survives JSON and sockets, where `instanceof` does not. The message says what was attempted and why it failed; advice is in the table. */
export class KnibError extends Error {
	readonly code: ErrorCode;
	readonly details: ErrorDetails;
	constructor(
		code: ErrorCode,
		message: string,
		options: { details?: ErrorDetails; cause?: unknown } = {},
	) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.name = "KnibError";
		this.code = code;
		this.details = options.details ?? {};
	}
}

/** An error as the command line and the API print it. */
export type ErrorView = {
	readonly code: ErrorCode;
	readonly message: string;
	readonly hint: string;
	readonly details: ErrorDetails;
};

/** Whether a value is an error code of the table. */
export const isErrorCode = (value: unknown): value is ErrorCode =>
	typeof value === "string" && Object.hasOwn(ERRORS, value);

/** One of another copy of the class: the terminal interface is bundled with one of its own, and what it loads later is not. */
const fromCopy = (thrown: unknown): KnibError | undefined => {
	if (!(thrown instanceof Error) || thrown.name !== "KnibError") return undefined;
	if (!("code" in thrown && isErrorCode(thrown.code))) return undefined;
	const details = "details" in thrown ? thrown.details : null;
	return new KnibError(thrown.code, thrown.message, {
		cause: thrown,
		details: typeof details === "object" && details !== null ? { ...details } : {},
	});
};

/** Any thrown value as a KnibError; what is not one becomes INTERNAL with the original as its cause. */
export const asKnibError = (thrown: unknown): KnibError => {
	if (thrown instanceof KnibError) return thrown;
	const copy = fromCopy(thrown);
	if (copy !== undefined) return copy;
	const message = thrown instanceof Error ? thrown.message : String(thrown);
	return new KnibError("INTERNAL", message, { cause: thrown });
};

/** An error as plain data, with the table's hint unless the details bring a better one. */
export const viewError = (thrown: unknown): ErrorView => {
	const error = asKnibError(thrown);
	const own = error.details["hint"];
	const hint = typeof own === "string" ? own : ERRORS[error.code].hint;
	return { code: error.code, message: error.message, hint, details: error.details };
};

/** Closes a switch over a union; reached only by a defect. */
export const assertNever = (value: never): never => {
	throw new KnibError("INTERNAL", `unexpected value ${JSON.stringify(value)}`);
};
