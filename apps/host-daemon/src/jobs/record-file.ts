// Small records that lie beside the disks they are about, so that they go where these go. Each may hold secrets: mode 0600.
import { lstat, open, readdir, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { asKnibError, KnibError, type Vm } from "@knib/core";
import type { z } from "zod";
import { attempt, fileExists, syncFile } from "../hypervisor/files.ts";

/** Reads a record; undefined when there is none. Rejects with VERIFY_FAILED for one that cannot be understood. */
export const readRecordFile = async <T>(
	path: string,
	schema: z.ZodType<T>,
): Promise<T | undefined> => {
	if (!(await fileExists(path))) return undefined;
	try {
		if (!(await lstat(path)).isFile()) throw new Error("it is no plain file");
		return schema.parse(JSON.parse(await readFile(path, "utf8")));
	} catch (thrown) {
		throw new KnibError("VERIFY_FAILED", `${path} cannot be read: ${asKnibError(thrown).message}`);
	}
};

/** Writes a record in one act, durable when this resolves. */
export const writeRecordFile = (path: string, record: unknown): Promise<void> =>
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

/** Records whose names match, beside the disks of a VM. */
export const findRecordFiles = async <T>(
	vm: Pick<Vm, "disks">,
	names: RegExp,
	schema: z.ZodType<T>,
): Promise<readonly { readonly path: string; readonly record: T }[]> => {
	const folders = new Set(
		vm.disks.flatMap(({ path }) => (path === undefined ? [] : [dirname(path)])),
	);
	const found: { path: string; record: T }[] = [];
	for (const folder of folders) {
		const all = (await fileExists(folder)) ? await readdir(folder) : [];
		for (const name of all.filter((one) => names.test(one))) {
			const path = `${folder}/${name}`;
			const record = await readRecordFile(path, schema);
			if (record !== undefined) found.push({ path, record });
		}
	}
	return found;
};
