// Backups with their oracles: what each disk held at the instant of the backup.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Guest } from "./guest.ts";
import { type Knib, type TakenBackup, takeBackup } from "./knib.ts";
import { compare, imageChain, takeOracle } from "./oracle.ts";

/** A backup and the raw references of its instant. */
export type Point = {
	readonly backup: TakenBackup;
	readonly references: ReadonlyMap<string, string>;
};

let counter = 0;

/** Pauses the guest, copies its disks, and takes a backup while it stands still: backup and references are of one instant. */
export const takePoint = async (
	knib: Knib,
	guest: Guest,
	...flags: readonly string[]
): Promise<Point> => {
	counter += 1;
	const directory = join(guest.lab.dir, "oracles", `${guest.name}-${counter}`);
	await mkdir(directory, { recursive: true });
	const { references, result } = await takeOracle(guest, {
		directory,
		during: () => takeBackup(knib, guest.name, ...flags),
	});
	return { backup: result, references };
};

/** Every disk of a published backup reads as its reference does. */
export const assertPoint = async (t: ExecutionContext, point: Point): Promise<void> => {
	t.true(point.references.size > 0);
	for (const [target, reference] of point.references) {
		const { same, text } = await compare(
			join(point.backup.path, `${target}.qcow2`),
			"qcow2",
			reference,
		);
		t.true(same, `${point.backup.id} ${target}: ${text}`);
	}
};

/** Number of knib's overlays on each disk of the guest. */
export const overlays = async (guest: Guest): Promise<readonly number[]> => {
	const counts: number[] = [];
	for (const disk of await guest.disks()) {
		const chain = await imageChain(disk.path, disk.format);
		counts.push(chain.filter((image) => /\.knib-[0-9a-f-]{36}\.qcow2$/.test(image.path)).length);
	}
	return counts;
};
