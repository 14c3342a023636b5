// What somebody asked for over the control API, as the audit trail keeps it.
import type { AuditEvent } from "@knib/core";
import type { AuditLog } from "./audit-log.ts";

/** One call that changes something. */
export type Act = {
	/** Topic and verb, such as `backup.pin`. */
	readonly path: string;
	/** What was sent, not checked. */
	readonly input: unknown;
	/** Who, as stated. */
	readonly user: string;
	/** Code of the error that it ended with; null when it was carried out. */
	readonly error: string | null;
	/** The VM that it is about. */
	readonly vm: AuditEvent["vm"];
};

const LONGEST = 500;

const fieldsOf = (input: unknown): Readonly<Record<string, unknown>> =>
	typeof input === "object" && input !== null ? { ...input } : {};

/** Topics whose inputs may hold secrets: of these only the verb is kept. */
const SECRET = /^peer\./;

const wordsOf = (path: string, fields: Readonly<Record<string, unknown>>): string => {
	if (SECRET.test(path)) return "";
	const words = Object.entries(fields)
		.filter(([name]) => name !== "dryRun")
		.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
	return ` ${words.join(" ")}`.slice(0, LONGEST);
};

/** Notes an act; a dry run is none. */
export const recordAct = (audit: AuditLog, { path, input, user, error, vm }: Act): void => {
	const fields = fieldsOf(input);
	if (fields["dryRun"] === true) return;
	const outcome = error === null ? "" : ` (refused or failed: ${error})`;
	audit.append({
		kind: "act",
		who: `${user} (as stated)`,
		vm,
		text: `${path}${wordsOf(path, fields)}${outcome}`,
	});
};
