// The record of a quick restore, beside its disks from before the VM is defined until the last byte is in: what the VM stands on, and
// whose hold in the repository keeps it there (SAFETY F7).
import { uuidSchema, type Vm } from "@knib/core";
import { z } from "zod";
import { findRecordFiles } from "./record-file.ts";

const policySchema = z.string().nullable();

export const quickRecordSchema = z.strictObject({
	format: z.literal(1),
	/** The restore's job: the hold is in its name. */
	job: uuidSchema,
	/** Id of the restore in place that it was; the job's for a new VM. */
	restore: uuidSchema,
	vm: z.strictObject({ uuid: z.string(), name: z.string() }),
	/** Uuid of the VM that was backed up. */
	source: z.string(),
	backup: uuidSchema,
	chain: uuidSchema,
	repository: z.strictObject({ id: z.string(), name: z.string() }),
	at: z.string(),
	disks: z.array(
		z.strictObject({
			target: z.string(),
			path: z.string().startsWith("/"),
			layers: z.array(z.string().startsWith("/")),
			bytes: z.number(),
			policies: z.strictObject({ write: policySchema, read: policySchema }),
		}),
	),
});
export type QuickRecord = z.infer<typeof quickRecordSchema>;
export type QuickDisk = QuickRecord["disks"][number];

const NAME = /\.knib-quick-[0-9a-f-]{36}\.json$/;

/** Where the record of a job lies. */
export const quickRecordPath = (firstDisk: string, job: string): string =>
	`${firstDisk}.knib-quick-${job}.json`;

/** Quick restores of a VM that are not consolidated yet, the oldest first. */
export const findQuick = async (
	vm: Pick<Vm, "uuid" | "disks">,
): Promise<readonly { readonly path: string; readonly record: QuickRecord }[]> =>
	(await findRecordFiles(vm, NAME, quickRecordSchema))
		.filter(({ record }) => record.vm.uuid === vm.uuid)
		.sort((a, b) => (a.record.at < b.record.at ? -1 : 1));
