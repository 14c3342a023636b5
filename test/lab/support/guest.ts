// Guests of a lab: defined from the golden images or from disks that the test made, driven through
// the guest agent. XML: domain-xml.ts; agent: agent.ts.

import { chmod, constants, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { agentAnswers, type ExecOptions, type ExecResult, execInGuest } from "./agent.ts";
import { waitFor } from "./deadline.ts";
import { type LiveDisk, liveDisks } from "./domain-disks.ts";
import { domainXml, type GuestDisk } from "./domain-xml.ts";
import { type Lab, labScript } from "./lab.ts";
import { run } from "./run.ts";

export type GuestOptions = {
	/** Unique among the labs of the machine when their flavour is default (control groups). */
	readonly name: string;
	readonly uuid?: string;
	/** Absent: copies of the golden root (vda) and data disk (vdb) in diskDir. */
	readonly disks?: readonly GuestDisk[];
	/** Absent: a directory of the lab. */
	readonly diskDir?: string;
	/** Size of the data disk that is made when disks are absent. */
	readonly dataMib?: number;
	readonly memoryMib?: number;
	readonly uefi?: boolean;
	/** False: no agent channel; start then waits for the console's GUEST-READY. */
	readonly agent?: boolean;
	readonly extraDevices?: string;
	readonly extraXml?: string;
};

export type Writer = {
	/** Ends the writer inside the guest. */
	readonly stop: () => Promise<void>;
};

export type Guest = {
	readonly lab: Lab;
	readonly name: string;
	readonly diskDir: string;
	readonly serialLog: string;
	/** As `virsh domstate`: "running", "paused", "shut off". */
	readonly state: () => Promise<string>;
	/** Starts it and waits until it is up. */
	readonly start: () => Promise<void>;
	/** Waits until the guest is up, as after a start by others. */
	readonly waitReady: (deadlineMs?: number) => Promise<void>;
	/** Asks the guest to power off and waits for it. */
	readonly shutdown: () => Promise<void>;
	readonly exec: (command: string, options?: ExecOptions) => Promise<ExecResult>;
	/** Writes and syncs; for contents up to a few MiB. */
	readonly writeFile: (path: string, content: string | Uint8Array) => Promise<void>;
	readonly sha256: (path: string) => Promise<string>;
	/** Waits until the kernel of the guest has found a disk that was attached; devices are named in the order of their coming. */
	readonly found: (device: string) => Promise<void>;
	/** Waits until a disk that was detached is gone: libvirt's answer only says that the guest was asked. */
	readonly released: (target: string) => Promise<void>;
	/** Writes numbered records until stopped: into one file, or in lock-step into two. The first ones are there when it resolves. */
	readonly startWriter: (file: string, second?: string) => Promise<Writer>;
	/** How many whole records there are; throws on a hole, a bad one, or two files out of step. */
	readonly checkWriter: (file: string, second?: string) => Promise<number>;
	readonly disks: () => Promise<readonly LiveDisk[]>;
	readonly pid: () => Promise<number>;
	/** kill -9 of its qemu; returns when libvirt has noticed. */
	readonly kill: () => Promise<void>;
	/** Destroys and undefines with all metadata; the disks stay. */
	readonly remove: () => Promise<void>;
};

const BOOT_DEADLINE_MS = 240_000;
const END_DEADLINE_MS = 120_000;
const PLUG_DEADLINE_MS = 120_000;
const UNDEFINE_ALL = [
	"--nvram",
	"--managed-save",
	"--snapshots-metadata",
	"--checkpoints-metadata",
];

/** Copies an image; the copy is writable and open to the qemu of either flavour. */
export async function copyImage(from: string, to: string): Promise<void> {
	await copyFile(from, to, constants.COPYFILE_FICLONE);
	await chmod(to, 0o644);
}

/** Makes root.qcow2 and data.qcow2 in the directory and names them vda and vdb. */
export async function makeDisks(
	lab: Lab,
	directory: string,
	options: Pick<GuestOptions, "uefi" | "dataMib"> = {},
): Promise<readonly GuestDisk[]> {
	const root = join(directory, "root.qcow2");
	const data = join(directory, "data.qcow2");
	// Asked for anew: another run may have built the images again since the lab began, without this one.
	if (options.uefi === true) await labScript("guest", "--uefi");
	await copyImage(join(lab.images, options.uefi ? "root-uefi.qcow2" : "root.qcow2"), root);
	if (options.dataMib === undefined) await copyImage(join(lab.images, "data.qcow2"), data);
	else await labScript("disk", data, String(options.dataMib));
	return [
		{ target: "vda", path: root },
		{ target: "vdb", path: data },
	];
}

/** Gives a file or a directory with all in it to the user that Debian's libvirt runs qemu as. */
export const giveToQemu = (path: string): Promise<unknown> =>
	run(["chown", "-R", "libvirt-qemu:libvirt-qemu", path]);

/** Defines a guest, shut off. */
export async function defineGuest(lab: Lab, options: GuestOptions): Promise<Guest> {
	const { name, uefi = false, agent = true } = options;
	const diskDir = options.diskDir ?? join(lab.dir, "guests", name);
	await mkdir(diskDir, { recursive: true, mode: 0o755 });
	const disks = options.disks ?? (await makeDisks(lab, diskDir, options));
	if (lab.flavour === "static") await giveToQemu(diskDir);
	const serialLog = join(diskDir, "console.log");
	const xml = domainXml({
		name,
		...(options.uuid === undefined ? {} : { uuid: options.uuid }),
		accel: lab.accel,
		memoryMib: options.memoryMib ?? (uefi ? 256 : 128),
		disks,
		serialLog,
		...(uefi ? { nvram: join(diskDir, "nvram.fd") } : {}),
		agent,
		extraDevices: options.extraDevices ?? "",
		extraXml: options.extraXml ?? "",
	});
	const xmlFile = join(lab.dir, `${name}.xml`);
	await writeFile(xmlFile, xml);
	await lab.virsh("define", xmlFile);
	return guestOf(lab, name, diskDir, serialLog, agent);
}

/** A guest that somebody else has defined. */
export function guestOf(
	lab: Lab,
	name: string,
	diskDir: string,
	serialLog = join(diskDir, "console.log"),
	agent = true,
): Guest {
	const exec = (command: string, options?: ExecOptions) => execInGuest(lab, name, command, options);
	const state = async () => (await lab.virsh("domstate", name)).trim();
	const pid = async () =>
		Number(await readFile(join(lab.runtimeDir, "qemu", `${name}.pid`), "utf8"));
	const isUp = agent
		? () => agentAnswers(lab, name)
		: async () => (await readFile(serialLog, "utf8")).includes("GUEST-READY");
	const waitReady = async (deadlineMs = BOOT_DEADLINE_MS) => {
		await waitFor(isUp, { deadlineMs, everyMs: 100, what: `${name} to be up` });
	};
	const waitOff = () =>
		waitFor(async () => (await state()) === "shut off", {
			deadlineMs: END_DEADLINE_MS,
			what: `${name} to be off`,
		});
	return {
		lab,
		name,
		diskDir,
		serialLog,
		state,
		waitReady,
		exec,
		pid,
		disks: () => liveDisks(lab, name),
		start: async () => {
			await lab.virsh("start", name);
			await waitReady();
		},
		shutdown: async () => {
			await lab.virsh("shutdown", name, "--mode", agent ? "agent" : "acpi");
			await waitOff();
		},
		writeFile: async (path, content) => {
			await exec(`cat > ${shellQuote(path)} && sync`, { input: content });
		},
		sha256: async (path) => (await exec(`sha256sum < ${shellQuote(path)}`)).stdout.slice(0, 64),
		found: async (device) => {
			const looks = async () =>
				(await exec(`test -b /dev/${device}`, { reject: false })).code === 0;
			const what = `${name} to find ${device}`;
			await waitFor(looks, { deadlineMs: PLUG_DEADLINE_MS, what });
		},
		released: async (target) => {
			const isGone = async () =>
				(await liveDisks(lab, name)).every((disk) => disk.target !== target);
			const what = `${name} to let go of ${target}`;
			await waitFor(isGone, { deadlineMs: PLUG_DEADLINE_MS, what });
		},
		startWriter: async (...files) => {
			const begun = files.map((file) =>
				file === undefined ? "" : `while [ ! -s ${shellQuote(file)} ]; do usleep 20000; done;`,
			);
			const writer = `setsid guestbin seq ${quoteAll(files)} </dev/null >/dev/null 2>&1 & pid=$!; ${begun.join(" ")} echo $pid`;
			const writerPid = (await exec(writer)).stdout.trim();
			const stop = `kill ${writerPid}; while kill -0 ${writerPid} 2>/dev/null; do usleep 20000; done`;
			return { stop: async () => void (await exec(stop)) };
		},
		checkWriter: async (...files) => {
			const { stdout } = await exec(`guestbin seqcheck ${quoteAll(files)}`);
			return Number(stdout.trim().replace("ok records=", ""));
		},
		kill: async () => {
			process.kill(await pid(), "SIGKILL");
			await waitOff();
		},
		remove: async () => {
			await lab.tryVirsh("destroy", name);
			await lab.virsh("undefine", name, ...UNDEFINE_ALL);
		},
	};
}

function quoteAll(files: readonly (string | undefined)[]): string {
	return files.flatMap((file) => (file === undefined ? [] : [shellQuote(file)])).join(" ");
}

function shellQuote(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}
