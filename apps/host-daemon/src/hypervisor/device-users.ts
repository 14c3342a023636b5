// Who has a block device open. qemu's image lock does not tell: libvirt gives each VM a /dev of its own, so that the VM's qemu and
// anybody else open two files of one device, and a lock belongs to a file (seen with libvirt 9.0 under its own settings).
import { readdir, readFile, stat } from "node:fs/promises";
import { KnibError } from "@knib/core";
import { errnoOf } from "./files.ts";

const GONE = ["ENOENT", "ESRCH"];
/** A process that even root may not look into, such as a container's first one. */
const CLOSED = ["EACCES", "EPERM"];

/** Undefined for a process or descriptor that went away meanwhile. */
const ifThere = async <T>(work: Promise<T>): Promise<T | undefined> => {
	try {
		return await work;
	} catch (thrown) {
		if (GONE.includes(errnoOf(thrown) ?? "")) return undefined;
		throw thrown;
	}
};

const ACCESS_MODE = 3;

/** Whether a line of /proc/<pid>/fdinfo/<fd> says that the file is open for writing. */
export const isOpenForWriting = (fdinfo: string): boolean => {
	const flags = /^flags:\s+([0-7]+)$/m.exec(fdinfo)?.[1];
	return flags === undefined || (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0;
};

const isQemu = async (process: string): Promise<boolean> => {
	const cmdline = await ifThere(readFile(`${process}/cmdline`, "latin1"));
	return /(^|\/)(qemu|kvm)[^/]*$/.test(cmdline?.split("\0")[0] ?? "");
};

const holds = async (process: string, rdev: bigint): Promise<boolean> => {
	const names = (await ifThere(readdir(`${process}/fd`))) ?? [];
	const found = await Promise.all(
		names.map(async (name) => {
			const file = await ifThere(stat(`${process}/fd/${name}`, { bigint: true }));
			return file?.isBlockDevice() === true && file.rdev === rdev ? [name] : [];
		}),
	);
	for (const name of found.flat()) {
		const fdinfo = await ifThere(readFile(`${process}/fdinfo/${name}`, "latin1"));
		// Who only looks, as udev does, is no user; a qemu that reads it stands on it.
		if (fdinfo !== undefined && (isOpenForWriting(fdinfo) || (await isQemu(process)))) return true;
	}
	return false;
};

const mayHold = async (process: string, rdev: bigint): Promise<boolean> => {
	try {
		return await holds(process, rdev);
	} catch (cause) {
		if (CLOSED.includes(errnoOf(cause) ?? "") && !(await isQemu(process))) return false;
		const message = "could not see which processes use a block device";
		throw new KnibError("COMMAND_FAILED", message, { cause });
	}
};

/** Whether another process of this host writes the block device, or a qemu reads it. Rejects with COMMAND_FAILED when that cannot be seen. */
export const isDeviceUsed = async (path: string, proc = "/proc"): Promise<boolean> => {
	const { rdev } = await stat(path, { bigint: true });
	const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
	for (const pid of pids) {
		if (pid !== String(process.pid) && (await mayHold(`${proc}/${pid}`, rdev))) return true;
	}
	return false;
};
