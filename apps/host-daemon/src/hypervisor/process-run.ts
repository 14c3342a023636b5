// Which process a running VM is: found by the uuid on qemu's command line, since libvirt's pid files lie in a place that depends
// on its build and its URI, and asking qemu through libvirt marks the VM as tainted.
import { readdir, readFile } from "node:fs/promises";
import { errnoOf } from "./files.ts";

/** Reads of /proc that a process may vanish under. */
const readOrNothing = async (path: string): Promise<string> => {
	try {
		return await readFile(path, "latin1");
	} catch (thrown) {
		if (["ENOENT", "ESRCH", "EACCES"].includes(errnoOf(thrown) ?? "")) return "";
		throw thrown;
	}
};

/** Start of a process in clock ticks since boot: field 22 of /proc/<pid>/stat, whose second field may hold anything in parentheses. */
export const startTicks = (stat: string): string | undefined =>
	stat
		.slice(stat.lastIndexOf(")") + 2)
		.split(" ")
		.at(19);

/** Whether a NUL-separated command line is qemu's for this VM. */
export const isQemuOf = (cmdline: string, uuid: string): boolean => {
	const words = cmdline.split("\0");
	const at = words.indexOf("-uuid");
	return at > 0 && words[at + 1] === uuid;
};

/** One run of a VM's process, from its start to its exit: boot id of the host, pid and start time. Undefined when no process of this host runs it, e.g. when libvirt is on another one. Two processes that claim the uuid give another answer than one: nothing can pass for a run that went on. */
export const readRun = async (uuid: string, proc = "/proc"): Promise<string | undefined> => {
	const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
	const found: string[] = [];
	for (const pid of pids) {
		if (!isQemuOf(await readOrNothing(`${proc}/${pid}/cmdline`), uuid)) continue;
		const ticks = startTicks(await readOrNothing(`${proc}/${pid}/stat`));
		if (ticks !== undefined) found.push(`${pid}@${ticks}`);
	}
	if (found.length === 0) return undefined;
	const boot = (await readOrNothing(`${proc}/sys/kernel/random/boot_id`)).trim();
	return [boot, ...found.sort()].join(":");
};
