// The audit trail and the alerts of a host, as `event list` prints them.
import { z } from "zod";
import { instantSchema } from "../domain/ids.ts";

/** Something that happened on a host: what somebody asked for, how a job ended, an alert raised or taken back. */
export const auditEventSchema = z.looseObject({
	at: instantSchema,
	kind: z.enum(["act", "job", "alert"]),
	/** Who: a user as stated, or the host itself. */
	who: z.string(),
	vm: z.strictObject({ uuid: z.string(), name: z.string() }).nullable(),
	text: z.string(),
});
export type AuditEvent = z.infer<typeof auditEventSchema>;

export const eventFilterSchema = z.strictObject({
	/** Not before this instant. */
	since: instantSchema.optional(),
	/** Name or uuid. */
	vm: z.string().min(1).max(500).optional(),
	/** The newest so many. */
	limit: z.number().int().min(1).max(100_000).default(1000),
});
export type EventFilter = z.infer<typeof eventFilterSchema>;
