// Deaths of knibd at a line of its journal, around VMs that are shut off and small, so that many fit into a minute.
import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { defineGuest, type Guest } from "./guest.ts";
import type { Knib } from "./knib.ts";
import type { Lab } from "./lab.ts";
import { run } from "./run.ts";

const MIB = 1 << 20;

/** A VM that stays off, with two disks of 16 MiB. */
export const smallVm = async (lab: Lab, name: string): Promise<Guest> => {
	const directory = join(lab.dir, "guests", name);
	await mkdir(directory, { recursive: true, mode: 0o755 });
	const disks = ["vda", "vdb"].map((target) => ({ target, path: join(directory, target) }));
	for (const { path } of disks) {
		await run(["qemu-img", "create", "-q", "-f", "qcow2", path, String(16 * MIB)]);
	}
	return await defineGuest(lab, { name, disks, diskDir: directory });
};

/** Writes what compresses well into both disks of a VM that is off. */
export const writeDisks = async (guest: Guest, generation: number): Promise<void> => {
	for (const { path, format } of await guest.disks()) {
		const write = `write -P ${(generation % 250) + 1} ${(generation % 12) * MIB} ${2 * MIB}`;
		await run(["qemu-io", "-f", format, "-c", write, path]);
	}
};

/** Keeps what knibd has and the repository as they are now, and gives a way back to it: cheaper than what has led there. For jobs that touch no VM. knibd is down after both. */
export const keepState = async (knib: Knib): Promise<() => Promise<void>> => {
	const directories = [knib.stateDir, knib.repository];
	await knib.stop();
	for (const path of directories) await run(["cp", "-a", path, `${path}.kept`]);
	return async () => {
		await knib.stop();
		for (const path of directories) {
			await run(["rm", "-rf", "--one-file-system", path]);
			await run(["cp", "-a", `${path}.kept`, path]);
		}
	};
};

/** Starts knibd with the order to kill itself after the n-th line of its journal, and the command; false when the command succeeded before. knibd is down then. */
export const killAtLine = async (
	knib: Knib,
	line: number,
	...command: readonly string[]
): Promise<boolean> => {
	await knib.stop();
	await knib.start({ KNIB_CRASH_AFTER_JOURNAL_LINES: String(line) });
	const { exitCode } = await knib.begin(...command);
	if (exitCode === 0) await knib.stop();
	else await knib.died();
	return exitCode !== 0;
};

/** Starts knibd again and waits until it has ended what it found. */
export const startAndSettle = async (knib: Knib): Promise<void> => {
	await knib.start();
	await knib.settled();
};

/** What no job may leave: unpublished backups, compressed or switched files in backups, overlays that no disk stands on. */
export const litter = async (knib: Knib, guest: Guest): Promise<readonly string[]> => {
	const published = await readdir(join(knib.repository, "vms"), { recursive: true });
	const used = (await guest.disks()).map(({ path }) => path);
	const [first = ""] = used;
	const overlays = (await readdir(dirname(first))).filter((name) =>
		/\.knib-[^.]*\.qcow2$/.test(name),
	);
	return [
		...(await readdir(join(knib.repository, "incoming"))),
		...published.filter((name) => /\.knib-|switch\.json$/.test(name)),
		...overlays.filter((name) => !used.some((path) => path.endsWith(`/${name}`))),
	];
};
