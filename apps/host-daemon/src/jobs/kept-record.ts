// The record of what a restore in place has set aside. It lies beside the disks, so that it goes where they go, and is written
// before anything is renamed. It holds the VM's definition with its secrets: mode 0600.
import { diskFormatSchema, uuidSchema, type Vm } from "@knib/core";
import { z } from "zod";
import { findRecordFiles, readRecordFile, writeRecordFile } from "./record-file.ts";

const imageSchema = z.strictObject({ path: z.string().startsWith("/"), format: diskFormatSchema });

export const keptRecordSchema = z.strictObject({
	format: z.literal(1),
	id: uuidSchema,
	vm: z.strictObject({ uuid: z.string(), name: z.string() }),
	backup: uuidSchema,
	repository: z.strictObject({ id: z.string(), name: z.string() }),
	at: z.string(),
	/** The inactive definition as it was before. */
	xml: z.string(),
	/** `undone`: the old disks are in place again, and the restored ones are kept. */
	state: z.enum(["kept", "undone"]),
	disks: z.array(
		z.strictObject({
			target: z.string(),
			path: z.string().startsWith("/"),
			format: diskFormatSchema,
			staged: z.string().startsWith("/"),
			/** The images set aside, the one in use first; empty for a disk that the VM had lost. */
			old: z.array(imageSchema),
			lost: z.string().nullable(),
			/** Layers of the repository that a quickly restored disk stands on. */
			layers: z.array(z.string().startsWith("/")).optional(),
			/** Overlays that the restored disk has got since, the one in use first; from when an undo begins. */
			above: z.array(imageSchema).optional(),
		}),
	),
});
export type KeptRecord = z.infer<typeof keptRecordSchema>;

/** Where an image lies while it is set aside. */
export const asideOf = (path: string, id: string): string => `${path}.knib-old-${id}`;

/** Where a restored disk lies after the restore was undone. */
export const undoneOf = (path: string, id: string): string => `${path}.knib-undone-${id}`;

const RECORD = /\.knib-old-[0-9a-f-]{36}\.json$/;

/** Reads a record; undefined when there is none. Rejects with VERIFY_FAILED for one that cannot be understood. */
export const readRecord = (path: string): Promise<KeptRecord | undefined> =>
	readRecordFile(path, keptRecordSchema);

/** Writes a record in one act, durable when this resolves. */
export const writeRecord = (path: string, record: KeptRecord): Promise<void> =>
	writeRecordFile(path, record);

/** Records of a VM beside its disks, those that can still be undone first, the newest first of each. */
export const findRecords = async (
	vm: Vm,
): Promise<readonly { readonly path: string; readonly record: KeptRecord }[]> => {
	const found = await findRecordFiles(vm, RECORD, keptRecordSchema);
	const order = ({ record }: { record: KeptRecord }): string =>
		`${record.state === "kept" ? 1 : 0} ${record.at}`;
	return found
		.filter(({ record }) => record.vm.uuid === vm.uuid)
		.sort((a, b) => (order(a) < order(b) ? 1 : -1));
};
