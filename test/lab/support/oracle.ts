// The oracle for contents: raw references of a guest's disks at one instant, taken without any of
// the code under test, and byte comparisons with them.

import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Guest } from "./guest.ts";
import { run } from "./run.ts";

export type Oracle<T> = {
	/** Raw reference image of each target. */
	readonly references: ReadonlyMap<string, string>;
	/** What the action during the pause gave. */
	readonly result: T;
};

export type OracleOptions<T> = {
	/** Where the references go; made when absent. */
	readonly directory: string;
	/** Absent: every disk. */
	readonly targets?: readonly string[];
	/** Runs while the guest stands still, as "take the backup's snapshot". */
	readonly during: () => Promise<T>;
};

export type Comparison = { readonly same: boolean; readonly text: string };

export type ImageInfo = {
	readonly path: string;
	readonly format: string;
	readonly virtualBytes: number;
	readonly allocatedBytes: number;
	/** As written in the image: relative or absolute. */
	readonly backing?: string;
	readonly compression?: string;
	readonly bitmaps: readonly { readonly name: string; readonly flags: readonly string[] }[];
};

const BLOCK_BYTES = 512;

/**
 * Pauses a running guest (which also flushes qcow2 metadata), copies its disks, runs the action,
 * resumes. A guest that is off or paused stays so. What the guest has not synced is not on the disk.
 */
export async function takeOracle<T>(guest: Guest, options: OracleOptions<T>): Promise<Oracle<T>> {
	await mkdir(options.directory, { recursive: true });
	const wasRunning = (await guest.state()) === "running";
	if (wasRunning) await guest.lab.virsh("suspend", guest.name);
	try {
		const references = new Map<string, string>();
		for (const { target, path, format } of await guest.disks()) {
			if (options.targets !== undefined && !options.targets.includes(target)) continue;
			const reference = join(options.directory, `${target}.raw`);
			await run(["qemu-img", "convert", "-U", "-f", format, "-O", "raw", path, reference]);
			references.set(target, reference);
		}
		return { references, result: await options.during() };
	} finally {
		if (wasRunning) await guest.lab.virsh("resume", guest.name);
	}
}

/** Whether image (with its backing chain) and raw reference have the same size and bytes. */
export async function compare(image: string, format: string, raw: string): Promise<Comparison> {
	const argv = ["qemu-img", "compare", "-U", "-f", format, "-F", "raw", image, raw];
	const { exitCode, stdout, stderr } = await run(argv, { reject: false });
	const text = `${stdout}${stderr}`.trim();
	if (exitCode > 1) throw new Error(`${argv.join(" ")}: exited ${exitCode}\n${text}`);
	return { same: exitCode === 0 && !text.includes("size mismatch"), text };
}

const infoOutput = z.array(
	z.object({
		filename: z.string(),
		format: z.string(),
		"virtual-size": z.number(),
		"actual-size": z.number(),
		"backing-filename": z.string().optional(),
		"format-specific": z
			.object({
				data: z.object({
					"compression-type": z.string().optional(),
					bitmaps: z.array(z.object({ name: z.string(), flags: z.array(z.string()) })).optional(),
				}),
			})
			.optional(),
	}),
);

/** The image and everything it is backed by, top first. */
export async function imageChain(path: string, format = "qcow2"): Promise<readonly ImageInfo[]> {
	const argv = ["qemu-img", "info", "-U", "--backing-chain", "--output=json", "-f", format, path];
	const output: unknown = JSON.parse((await run(argv)).stdout);
	return infoOutput.parse(output).map((info) => {
		const backing = info["backing-filename"];
		const data = info["format-specific"]?.data;
		const compression = data?.["compression-type"];
		return {
			path: info.filename,
			format: info.format,
			virtualBytes: info["virtual-size"],
			allocatedBytes: info["actual-size"],
			...(backing === undefined ? {} : { backing }),
			...(compression === undefined ? {} : { compression }),
			bitmaps: data?.bitmaps ?? [],
		};
	});
}

/** Bytes that the file takes on its file system, holes left out. */
export async function allocatedBytes(path: string): Promise<number> {
	return (await stat(path)).blocks * BLOCK_BYTES;
}
