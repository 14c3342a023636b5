// A private libvirtd for tests. The work is done by scripts/lab, which also removes what a crashed
// run has left behind; this is its face in TypeScript. Guests of a lab: guest.ts.

import { chmod, mkdir, mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "./deadline.ts";
import { type RunResult, run } from "./run.ts";

export const labFlavours = ["plain", "default", "static"] as const;
export type LabFlavour = (typeof labFlavours)[number];

export type Lab = {
	readonly uri: string;
	/** Everything of the lab; entered by unprivileged qemu too; gone after stop. */
	readonly dir: string;
	readonly flavour: LabFlavour;
	readonly accel: "kvm" | "tcg";
	/** False where mount namespaces are not permitted: only this lab can run then. */
	readonly isolated: boolean;
	/** Golden images: root.qcow2, root-uefi.qcow2, data.qcow2. Never written to. */
	readonly images: string;
	/** What libvirt calls /run/libvirt, as seen from outside. */
	readonly runtimeDir: string;
	/** Where libvirt looks for hooks, as seen from outside. */
	readonly hooksDir: string;
	/** Stdout of `virsh`; throws when it fails. */
	readonly virsh: (...args: readonly string[]) => Promise<string>;
	/** As virsh, failing allowed. */
	readonly tryVirsh: (...args: readonly string[]) => Promise<RunResult>;
	/** Runs a command that sees libvirt's own paths (managed save, NVRAM) as libvirtd does. */
	readonly enter: (...argv: readonly string[]) => Promise<RunResult>;
	/** SIGKILL; the guests run on. */
	readonly killDaemon: () => Promise<void>;
	/** Starts libvirtd again after killDaemon. */
	readonly startDaemon: () => Promise<void>;
	/** Ends libvirtd and all guests and removes the directory. */
	readonly stop: () => Promise<void>;
};

export type LabOptions = {
	/**
	 * plain: qemu is root, nothing is chowned; default: libvirt's own defaults; static: as default, with dynamic_ownership = 0.
	 * KNIB_LAB_FLAVOUR, if set, takes the place of plain.
	 */
	readonly flavour?: LabFlavour;
};

const SCRIPT = fileURLToPath(new URL("../../../scripts/lab", import.meta.url));
const BUILD_TIMEOUT_MS = 900_000;
const DAEMON_END_MS = 60_000;

const usualFlavour = (): LabFlavour => {
	const asked = process.env["KNIB_LAB_FLAVOUR"] ?? "plain";
	const known = labFlavours.find((one) => one === asked);
	if (known === undefined) throw new Error(`KNIB_LAB_FLAVOUR=${asked} is none of ${labFlavours}`);
	return known;
};

/** Runs scripts/lab and gives the last line that it printed. */
export async function labScript(...args: readonly string[]): Promise<string> {
	const { stdout } = await run([SCRIPT, ...args], { timeoutMs: BUILD_TIMEOUT_MS });
	return stdout.split("\n").at(-1) ?? "";
}

/**
 * Starts a lab of its own directory, after removing leftovers of dead runs.
 * Any number of labs may run at once where mount namespaces are permitted.
 */
export async function startLab({ flavour = usualFlavour() }: LabOptions = {}): Promise<Lab> {
	const base = process.env["KNIB_LAB_BASE"] ?? "/var/tmp/knib-lab";
	await labScript("clean");
	const images = await labScript("guest", "--uefi");
	await mkdir(base, { recursive: true, mode: 0o755 });
	const dir = await mkdtemp(join(base, "lab."));
	await chmod(dir, 0o755);
	const upArgs = ["up", dir, "--owner", String(process.pid), "--flavour", flavour];
	const uri = await labScript(...upArgs);
	const isolated = (await readWord(join(dir, "isolation"))) === "namespace";
	const tryVirsh = (...args: readonly string[]) =>
		run(["virsh", "-q", "-c", uri, ...args], { reject: false });
	return {
		uri,
		dir,
		flavour,
		accel: (await readWord(join(dir, "accel"))) === "kvm" ? "kvm" : "tcg",
		isolated,
		images,
		runtimeDir: isolated ? join(dir, "run") : "/run/libvirt",
		hooksDir: isolated ? join(dir, "etc", "hooks") : "/etc/libvirt/hooks",
		virsh: async (...args) => (await run(["virsh", "-q", "-c", uri, ...args])).stdout,
		tryVirsh,
		enter: (...argv) => run([SCRIPT, "enter", dir, ...argv], { reject: false }),
		killDaemon: () => killDaemon(dir),
		startDaemon: async () => {
			await labScript(...upArgs);
		},
		stop: async () => {
			await labScript("down", dir, "--purge");
		},
	};
}

async function killDaemon(dir: string): Promise<void> {
	const pid = Number(await readWord(join(dir, "libvirtd.pid")));
	process.kill(pid, "SIGKILL");
	// it may stay a zombie where no init reaps it
	await waitFor(async () => !(await readState(pid)).match(/^[^Z]/), {
		deadlineMs: DAEMON_END_MS,
		what: `libvirtd ${pid} to end`,
	});
}

async function readState(pid: number): Promise<string> {
	const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
	return stat.slice(stat.lastIndexOf(")") + 2);
}

async function readWord(path: string): Promise<string> {
	return (await readFile(path, "utf8")).trim();
}
