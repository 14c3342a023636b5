// What `knib schedule` takes and prints.
import { z } from "zod";
import { type Schedule, scheduleFieldsSchema } from "../domain/schedule.ts";

const argument = z.string().min(1).max(500);
const dryRun = z.boolean().default(false);
const fields = scheduleFieldsSchema.shape;

/** Without a time zone that of the host which creates it is meant. */
export const scheduleCreateInputSchema = scheduleFieldsSchema.extend({
	timezone: fields.timezone.optional(),
	dryRun,
});
export type ScheduleCreateInput = z.infer<typeof scheduleCreateInputSchema>;

/** What is absent stays as it is. */
export const scheduleChangesSchema = z.strictObject({
	name: fields.name.optional(),
	cron: fields.cron.optional(),
	timezone: fields.timezone.optional(),
	vm: fields.vm.optional(),
	/** Null takes it away. */
	tag: fields.tag.unwrap().nullable().optional(),
	isolated: z.boolean().optional(),
	jitterMs: fields.jitterMs.unwrap().optional(),
	/** Null takes the rules away. */
	retention: fields.retention.unwrap().nullable().optional(),
});
export type ScheduleChanges = z.infer<typeof scheduleChangesSchema>;
export const scheduleUpdateInputSchema = z.strictObject({
	schedule: argument,
	changes: scheduleChangesSchema,
	dryRun,
});
export const scheduleDeleteInputSchema = z.strictObject({ schedule: argument, dryRun });
export const schedulePreviewInputSchema = z.strictObject({
	schedule: argument,
	count: z.number().int().min(1).max(1000).default(5),
});

/** A schedule and its next run on this host. */
export type ScheduleView = Schedule & { readonly nextRun: string | null };

/** Next runs on this host, with its own delay, and the VMs of this host that it would back up now. */
export type SchedulePreview = {
	readonly schedule: Schedule;
	readonly runs: readonly string[];
	readonly vms: readonly { readonly uuid: string; readonly name: string }[];
};
