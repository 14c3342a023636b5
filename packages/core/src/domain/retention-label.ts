import { uuidSchema } from "./ids.ts";

const PREFIX = "retention:";

/** The label of backups that are judged by the retention rules of the schedule which took them, by its id: a new name changes nothing. */
export const retentionLabel = (schedule: string): string => `${PREFIX}${schedule}`;

/** Id of the schedule whose rules a backup with these labels is judged by; undefined where those of its offering count. */
export const retentionScheduleOf = (labels: readonly string[]): string | undefined =>
	labels
		.filter((label) => label.startsWith(PREFIX))
		.map((label) => uuidSchema.safeParse(label.slice(PREFIX.length)).data)
		.find((id) => id !== undefined);
