// Which files lie below a live overlay of knib's, in plain files that libvirt's hook reads while knibd is not there (SAFETY F4): one file
// for each VM, one line for each file below: base, mark, overlay, VM, apart by tabs.
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TrackedFiles } from "@knib/core";

/** A file that must not be started, since `overlay` above it holds what its VM wrote since. */
export type Covered = {
	readonly base: string;
	/** `inode:seconds.nanoseconds` of the base's last change, or `-` for a device: a base that was replaced or written since is not what lay below the overlay. */
	readonly mark: string;
	readonly overlay: string;
	/** Name of the VM that writes to the overlay. */
	readonly vm: string;
};

/** The index of this host. */
export interface OverlayIndex {
	/** Adds what lies below the overlays that the VM's disks were switched to. Rejects when it cannot be written. */
	cover(
		vm: { readonly uuid: string; readonly name: string },
		disks: readonly TrackedFiles[],
	): Promise<void>;
	/** Takes out what lay below these overlays: they hold nothing that is not elsewhere. */
	uncover(vm: string, overlays: readonly string[]): Promise<void>;
	/** What covers a file now, also when it was written since; undefined where its base or its overlay is gone or another file. */
	find(path: string): Promise<Covered | undefined>;
	/** Whether anything is covered. */
	isEmpty(): Promise<boolean>;
}

/** Directory of the index in a state directory. */
export const indexDirectory = (stateDir: string): string => join(stateDir, "overlays");

const isWritable = ({ base, overlay }: Covered): boolean => !/[\t\n]/.test(base + overlay);

const lineOf = ({ base, mark, overlay, vm }: Covered): string =>
	`${[base, mark, overlay, vm].join("\t")}\n`;

const parse = (text: string): readonly Covered[] =>
	text.split("\n").flatMap((line) => {
		const [base, mark, overlay, vm] = line.split("\t");
		if (base === undefined || mark === undefined || overlay === undefined || vm === undefined)
			return [];
		return [{ base, mark, overlay, vm }];
	});

const linesOf = async (path: string): Promise<readonly Covered[]> =>
	parse(await readFile(path, "utf8").catch(() => ""));

const isThere = (path: string): Promise<boolean> =>
	stat(path).then(
		() => true,
		() => false,
	);

/** Whether two names are one file or one device, as it stands now. */
const isSame = async (one: string, other: string): Promise<boolean> => {
	const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
	if (a === undefined || b === undefined) return false;
	return a.isBlockDevice() ? a.rdev === b.rdev : a.dev === b.dev && a.ino === b.ino;
};

const markOf = (inode: string, mtimeNs: string): string => {
	const digits = mtimeNs.padStart(10, "0");
	return `${inode}:${digits.slice(0, -9)}.${digits.slice(-9)}`;
};

const covers = async ({ base, mark, overlay }: Covered, path: string): Promise<boolean> => {
	if (!(await isSame(base, path)) || !(await isThere(overlay))) return false;
	return mark === "-" || mark.startsWith(`${(await stat(base, { bigint: true })).ino}:`);
};

const coveredBy = (vm: string, { overlay, below }: TrackedFiles): readonly Covered[] =>
	below.map(({ path, kind, inode, mtime }) => ({
		base: path,
		mark: kind === "block" ? "-" : markOf(inode, mtime),
		overlay: overlay.path,
		vm,
	}));

export const openOverlayIndex = (stateDir: string): OverlayIndex => {
	const directory = indexDirectory(stateDir);
	const fileOf = (vm: string): string => join(directory, vm);

	const write = async (vm: string, lines: readonly Covered[]): Promise<void> => {
		await mkdir(directory, { recursive: true, mode: 0o700 });
		const path = fileOf(vm);
		await writeFile(`${path}.new`, lines.filter(isWritable).map(lineOf).join(""), { flush: true });
		await rename(`${path}.new`, path);
	};

	const all = async (): Promise<readonly Covered[]> => {
		const names = await readdir(directory).catch((): string[] => []);
		const files = names.filter((name) => !name.endsWith(".new")).map(fileOf);
		return (await Promise.all(files.map(linesOf))).flat();
	};

	return {
		cover: async ({ uuid, name }, disks) => {
			const fresh = disks.flatMap((disk) => coveredBy(name, disk));
			const bases = new Set(fresh.map(({ base }) => base));
			// An older overlay that the disk still stands on covers what is below it; one that it has left does not.
			const older = (await linesOf(fileOf(uuid))).filter(
				({ base, overlay }) => !bases.has(base) || bases.has(overlay),
			);
			const living = await Promise.all(older.map(({ overlay }) => isThere(overlay)));
			await write(uuid, [...fresh, ...older.filter((_, index) => living[index])]);
		},
		uncover: async (vm, overlays) => {
			const before = await linesOf(fileOf(vm));
			const after = before.filter(({ overlay }) => !overlays.includes(overlay));
			if (after.length !== before.length) await write(vm, after);
		},
		find: async (path) => {
			for (const line of await all()) if (await covers(line, path)) return line;
			return undefined;
		},
		isEmpty: async () => (await all()).length === 0,
	};
};
