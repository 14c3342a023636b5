// The harnesses of the contracts over real libvirt and qemu.
import { randomBytes, randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, DiskImages } from "@knib/core";
import { createDiskImages } from "../../apps/host-daemon/src/hypervisor/qemu-img.ts";
import {
	converseWith,
	runCommand,
	textOf,
} from "../../apps/host-daemon/src/hypervisor/run-command.ts";
import { createHypervisor } from "../../apps/host-daemon/src/hypervisor/virsh.ts";
import { systemClock } from "../../apps/host-daemon/src/system-clock.ts";
import { waitFor } from "../lab/support/deadline.ts";
import { defineGuest } from "../lab/support/guest.ts";
import type { Lab } from "../lab/support/lab.ts";
import type { HarnessDisk, HypervisorHarness } from "./hypervisor-harness.ts";
import type { ImageHarness } from "./image-harness.ts";

const JOB_DEADLINE_MS = 30_000;
/** Type of the header extension that says the backing file's format, and one that means nothing. */
const FORMAT_EXTENSION = Buffer.from("e2792aca", "hex");
const NO_EXTENSION = Buffer.from("6b6e6962", "hex");

const qemuIo = async (format: string, path: string, command: string): Promise<string> =>
	textOf(await runCommand(["qemu-io", "-U", "-r", "-f", format, "-c", command, path]));

const forgetFormat = async (path: string): Promise<void> => {
	const at = (await readFile(path)).indexOf(FORMAT_EXTENSION);
	const handle = await open(path, "r+");
	try {
		await handle.write(NO_EXTENSION, 0, NO_EXTENSION.length, at);
	} finally {
		await handle.close();
	}
};

/** Real images in a new directory below `parent`. */
export const realImageHarness = async (parent: string): Promise<ImageHarness> => {
	const images: DiskImages = createDiskImages({ run: runCommand });
	const made = await mkdtemp(join(parent, "images-"));
	await chmod(made, 0o755);
	const directory = join(made, "a b,c:d");
	await mkdir(directory, { mode: 0o755 });
	return {
		images,
		directory,
		image: async (name, { format, size }) => {
			const path = join(directory, name);
			await runCommand(["qemu-img", "create", "-q", "-f", format, path, String(size)]);
			await chmod(path, 0o644);
			return path;
		},
		fill: async ({ path, format }, { start, length, value }) => {
			const command = `write -P ${value} ${start} ${length}`;
			await runCommand(["qemu-io", "-f", format, "-c", command, path]);
		},
		read: async ({ path, format }, offset) => {
			const dump = await qemuIo(format, path, `read -v ${offset} 512`);
			return Number.parseInt(/^[0-9a-f]+:\s+([0-9a-f]{2}) /m.exec(dump)?.[1] ?? "", 16);
		},
		nameBacking: async (path, { name, format }) => {
			const said = ["-F", format ?? "raw", "-b", name];
			await runCommand(["qemu-img", "rebase", "-u", "-f", "qcow2", ...said, path]);
			if (format === undefined) await forgetFormat(path);
		},
		close: () => rm(made, { recursive: true, force: true }),
	};
};

const escapeXml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const diskXml = ({ target, path, format }: HarnessDisk): string =>
	`<disk type='file' device='disk'><driver name='qemu' type='${format}' discard='unmap'/><source file='${escapeXml(path)}'/><target dev='${target}' bus='virtio'/></disk>`;

/** A VM without an operating system: enough for everything but its agent. */
const definition = (
	accel: string,
	vm: { name: string; uuid: string; disks: readonly HarnessDisk[]; agent?: boolean },
): string => `<domain type='${accel}'><name>${escapeXml(vm.name)}</name><uuid>${vm.uuid}</uuid>
<memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
<devices>${vm.disks.map(diskXml).join("")}<video><model type='vga'/></video>
${vm.agent === true ? "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>" : ""}
</devices></domain>`;

const leaveMerge = async (
	lab: Lab,
	uuid: string,
	{ target, base }: { target: string; base: string },
): Promise<void> => {
	await lab.virsh("blockcommit", uuid, target, `--base=${base}`, "--active");
	const isReady = async () => (await lab.virsh("dumpxml", uuid)).includes("ready='yes'");
	await waitFor(isReady, { deadlineMs: JOB_DEADLINE_MS, what: `the merge of ${target}` });
};

const removeAll = async (lab: Lab): Promise<void> => {
	const listed = await lab.virsh("list", "--all", "--uuid");
	for (const uuid of listed.split("\n").filter((line) => line.trim() !== "")) {
		await lab.tryVirsh("destroy", uuid);
		await lab.tryVirsh(
			"undefine",
			uuid,
			"--managed-save",
			"--snapshots-metadata",
			"--checkpoints-metadata",
		);
	}
};

/** A lab's libvirt, with no VM in it. */
export const realHypervisorHarness = async (
	lab: Lab,
	clock: Clock = systemClock,
): Promise<HypervisorHarness> => {
	await removeAll(lab);
	const harness = await realImageHarness(lab.dir);
	const hypervisor = createHypervisor({
		uri: lab.uri,
		run: runCommand,
		converse: converseWith,
		clock,
		ids: { random: (bytes) => randomBytes(bytes).toString("hex") },
		images: harness.images,
	});
	return {
		...harness,
		hypervisor,
		definition: (vm) =>
			definition(lab.accel === "kvm" ? "kvm" : "qemu", { uuid: randomUUID(), ...vm }),
		guest: async () => {
			const guest = await defineGuest(lab, { name: `guest-${randomBytes(3).toString("hex")}` });
			await guest.start();
			return (await lab.virsh("domuuid", guest.name)).trim();
		},
		save: async (uuid) => void (await lab.virsh("managedsave", uuid)),
		leaveMerge: (uuid, disk) => leaveMerge(lab, uuid, disk),
		snapshot: async (uuid, target, path) => {
			const disks = (await hypervisor.vm(uuid))?.disks ?? [];
			const others = disks.filter((disk) => disk.target !== target);
			const file = join(lab.dir, "snapshot.xml");
			await writeFile(
				file,
				`<domainsnapshot><name>mine</name><disks><disk name='${target}' snapshot='external' type='file'><driver type='qcow2'/><source file='${escapeXml(path)}'/></disk>${others.map((disk) => `<disk name='${disk.target}' snapshot='no'/>`).join("")}</disks></domainsnapshot>`,
			);
			const flags = ["--disk-only", "--atomic", "--reuse-external"];
			await lab.virsh("snapshot-create", uuid, file, ...flags);
		},
		close: async () => {
			await removeAll(lab);
			await harness.close();
		},
	};
};
