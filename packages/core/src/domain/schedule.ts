// When VMs are backed up by themselves (SPEC 10). A schedule is shared: each host carries it out for the VMs that it has.
import { z } from "zod";
import { instantSchema, uuidSchema } from "./ids.ts";
import { retentionSchema } from "./offering.ts";

/** Every place that an operator writes a schedule's fields; `cron` is checked by whoever knows cron. */
export const scheduleFieldsSchema = z.strictObject({
	name: z
		.string()
		.min(1)
		.max(190)
		.regex(/^[^\p{C}]+$/u, "a name has no control characters"),
	/** Five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly. */
	cron: z.string().min(1).max(200),
	/** IANA name of the time zone in which `cron` is meant. */
	timezone: z.string().min(1).max(100),
	/** VMs by name; `*` stands for any text, `?` for one character. */
	vm: z.string().min(1).max(200),
	/** Only VMs with this `<knib:tag>` in their definition's metadata; absent: all of that name. */
	tag: z
		.string()
		.min(1)
		.max(200)
		.regex(/^[^\p{C}]+$/u, "a tag has no control characters")
		.optional(),
	isolated: z.boolean().default(false),
	/** Each host begins up to so many milliseconds late, always the same for a host, so that not all begin at once. */
	jitterMs: z
		.number()
		.int()
		.min(0)
		.max(24 * 3_600_000)
		.default(0),
	/** What is kept of the backups that it takes; absent: what their offering says. */
	retention: retentionSchema.optional(),
});
export type ScheduleFields = z.infer<typeof scheduleFieldsSchema>;

export const scheduleSchema = scheduleFieldsSchema.extend({
	id: uuidSchema,
	createdAt: instantSchema,
	/** Runs before its last change are not missed ones. */
	changedAt: instantSchema,
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** The label of backups that a schedule has made. */
export const scheduleLabel = (name: string): string => `schedule:${name}`;
