// The record of what a restore in place has set aside. It lies beside the disks, so that it goes where they go, and is written
// before anything is renamed. It holds the VM's definition with its secrets: mode 0600.
import { lstat, open, readdir, readFile, rename } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { asKnibError, diskFormatSchema, KnibError, uuidSchema, type Vm } from "@knib/core";
import { z } from "zod";
import { attempt, fileExists, syncFile } from "../hypervisor/files.ts";

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
export const readRecord = async (path: string): Promise<KeptRecord | undefined> => {
	if (!(await fileExists(path))) return undefined;
	try {
		if (!(await lstat(path)).isFile()) throw new Error("it is no plain file");
		return keptRecordSchema.parse(JSON.parse(await readFile(path, "utf8")));
	} catch (thrown) {
		throw new KnibError("VERIFY_FAILED", `${path} cannot be read: ${asKnibError(thrown).message}`);
	}
};

/** Writes a record in one act, durable when this resolves. */
export const writeRecord = (path: string, record: KeptRecord): Promise<void> =>
	attempt(`could not write ${path}`, async () => {
		const part = `${path}.part`;
		const file = await open(part, "w", 0o600);
		try {
			await file.writeFile(JSON.stringify(record));
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(part, path);
		await syncFile(path);
	});

/** Records of a VM beside its disks, those that can still be undone first, the newest first of each. */
export const findRecords = async (
	vm: Vm,
): Promise<readonly { readonly path: string; readonly record: KeptRecord }[]> => {
	const folders = new Set(
		vm.disks.flatMap(({ path }) => (path === undefined ? [] : [dirname(path)])),
	);
	const found: { path: string; record: KeptRecord }[] = [];
	for (const folder of folders) {
		const names = (await fileExists(folder)) ? await readdir(folder) : [];
		for (const name of names.filter((one) => RECORD.test(basename(one)))) {
			const path = `${folder}/${name}`;
			const record = await readRecord(path);
			if (record?.vm.uuid === vm.uuid) found.push({ path, record });
		}
	}
	const order = ({ record }: { record: KeptRecord }): string =>
		`${record.state === "kept" ? 1 : 0} ${record.at}`;
	return found.sort((a, b) => (order(a) < order(b) ? 1 : -1));
};
