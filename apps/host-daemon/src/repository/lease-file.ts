// The files behind a VM's lease: `lease.<number>.json` in the VM's directory. The highest number is the lease; a number is given
// once, by link(2), and the highest file is never removed, so numbers only grow.
import { instantSchema } from "@knib/core";
import { z } from "zod";
import type { RepositoryFiles } from "./files.ts";
import { jsonText, parseJsonText } from "./json-file.ts";

/** Contents of a lease's file. */
export const leaseFileSchema = z.strictObject({
	/** Id of the host that holds or held it. */
	holder: z.string(),
	fencing: z.number().int().positive(),
	/** Moves while the holder lives. */
	counter: z.number().int().nonnegative(),
	takenAt: instantSchema,
	released: z.boolean(),
});
export type LeaseFile = z.infer<typeof leaseFileSchema>;

/** The newest lease in a VM's directory. `text` is the file as it stands; `content` is missing when it cannot be read, as in the moment of its writing where there is no link(2). */
export type NewestLease = {
	readonly fencing: number;
	readonly text: string;
	readonly content?: LeaseFile;
};

/** Older numbers that stay on disk, so that a process which sleeps over some takings still finds its number taken. */
const KEPT = 8;

const NAME = /^lease\.([1-9]\d{0,14})\.json$/;

const pathOf = (directory: string, fencing: number): string => `${directory}/lease.${fencing}.json`;

const numbersIn = async (
	files: Pick<RepositoryFiles, "list">,
	directory: string,
): Promise<readonly number[]> =>
	((await files.list(directory)) ?? [])
		.flatMap(({ name }) => {
			const [, digits] = NAME.exec(name) ?? [];
			return digits === undefined ? [] : [Number(digits)];
		})
		.sort((a, b) => b - a);

/** Reads and writes the leases of VMs. Rejects with REPOSITORY_*. */
export const createLeaseFiles = (files: RepositoryFiles) => ({
	newest: async (directory: string): Promise<NewestLease | undefined> => {
		const [fencing] = await numbersIn(files, directory);
		if (fencing === undefined) return undefined;
		const text = (await files.readText(pathOf(directory, fencing))) ?? "";
		const parsed = parseJsonText(text, leaseFileSchema);
		const sound = "value" in parsed && parsed.value.fencing === fencing;
		return sound ? { fencing, text, content: parsed.value } : { fencing, text };
	},
	/** Gives a number to `lease`; false when it was given to somebody else, now or before. */
	claim: async (directory: string, lease: LeaseFile): Promise<boolean> => {
		const path = pathOf(directory, lease.fencing);
		if (!(await files.createText(path, jsonText(lease)))) return false;
		// A process that slept may have made a number again that others have passed long ago.
		const [highest] = await numbersIn(files, directory);
		if (highest === lease.fencing) return true;
		await files.remove(path);
		return false;
	},
	write: (directory: string, lease: LeaseFile): Promise<void> =>
		files.writeText(pathOf(directory, lease.fencing), jsonText(lease)),
	/** Removes all but the newest numbers. */
	prune: async (directory: string): Promise<void> => {
		for (const number of (await numbersIn(files, directory)).slice(KEPT + 1)) {
			await files.remove(pathOf(directory, number));
		}
	},
});
export type LeaseFiles = ReturnType<typeof createLeaseFiles>;
