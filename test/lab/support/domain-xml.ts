// Domain XML of the lab's guests, odd cases included: raw disks, block devices, any characters in
// paths, cdroms, shareable disks, extra elements as text.

export type GuestDisk = {
	/** vda, vdb, ... (hda, sda on other buses). */
	readonly target: string;
	/** Absent: an empty cdrom. */
	readonly path?: string;
	readonly format?: "qcow2" | "raw";
	readonly kind?: "file" | "block";
	readonly device?: "disk" | "cdrom";
	readonly bus?: "virtio" | "ide" | "sata" | "scsi";
	readonly cache?: "none" | "writeback" | "writethrough" | "directsync" | "unsafe";
	readonly shareable?: boolean;
	readonly readonly?: boolean;
	readonly serial?: string;
	/** Text put inside the disk element. */
	readonly extraXml?: string;
};

export type DomainSpec = {
	readonly name: string;
	readonly uuid?: string;
	readonly accel: "kvm" | "tcg";
	readonly memoryMib: number;
	readonly disks: readonly GuestDisk[];
	/** Where the guest's console goes; none when absent. */
	readonly serialLog?: string;
	/** Boots by OVMF with the variables in this file, which libvirt makes when it is absent. */
	readonly nvram?: string;
	/** The channel of the guest agent. */
	readonly agent: boolean;
	/** Text put inside devices. */
	readonly extraDevices: string;
	/** Text put inside domain; the prefix qemu: is declared. */
	readonly extraXml: string;
};

const OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd";
const CPU = {
	kvm: "<cpu mode='host-passthrough'/>",
	// the fastest one to boot under TCG
	tcg: "<cpu mode='custom' match='exact' check='none'><model fallback='allow'>qemu64</model></cpu>",
};
const ESCAPES: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	"'": "&apos;",
	'"': "&quot;",
};

/** For text and for attribute values in either quotes. */
export function escapeXml(text: string): string {
	return text.replace(/[&<>'"]/g, (character) => ESCAPES[character] ?? character);
}

export function diskXml(disk: GuestDisk): string {
	const { device = "disk", kind = "file", format = "qcow2", cache = "none" } = disk;
	const bus = disk.bus ?? (device === "cdrom" ? "sata" : "virtio");
	const driver =
		device === "cdrom"
			? "<driver name='qemu' type='raw'/>"
			: `<driver name='qemu' type='${format}' cache='${cache}'${io(cache)} discard='unmap'/>`;
	const attribute = kind === "block" ? "dev" : "file";
	const source = disk.path === undefined ? "" : `<source ${attribute}='${escapeXml(disk.path)}'/>`;
	return [
		`<disk type='${kind}' device='${device}'>`,
		driver,
		source,
		`<target dev='${disk.target}' bus='${bus}'/>`,
		disk.shareable ? "<shareable/>" : "",
		disk.readonly || device === "cdrom" ? "<readonly/>" : "",
		disk.serial === undefined ? "" : `<serial>${escapeXml(disk.serial)}</serial>`,
		disk.extraXml ?? "",
		"</disk>",
	].join("");
}

/** Linux AIO is for O_DIRECT only. */
function io(cache: string): string {
	return cache === "none" || cache === "directsync" ? " io='native'" : "";
}

export function domainXml(spec: DomainSpec): string {
	const machine = spec.nvram === undefined ? "pc" : "q35";
	return `<domain type='${spec.accel === "kvm" ? "kvm" : "qemu"}' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
	<name>${escapeXml(spec.name)}</name>
	${spec.uuid === undefined ? "" : `<uuid>${spec.uuid}</uuid>`}
	<memory unit='MiB'>${spec.memoryMib}</memory>
	<vcpu>1</vcpu>
	<os>
		<type arch='x86_64' machine='${machine}'>hvm</type>
		${spec.nvram === undefined ? "" : firmware(spec.nvram)}
		<boot dev='hd'/>
	</os>
	<features><acpi/></features>
	${CPU[spec.accel]}
	<on_poweroff>destroy</on_poweroff>
	<on_reboot>restart</on_reboot>
	<on_crash>destroy</on_crash>
	<devices>
		<emulator>/usr/bin/qemu-system-x86_64</emulator>
		${spec.disks.map(diskXml).join("\n\t\t")}
		<controller type='usb' model='none'/>
		${spec.serialLog === undefined ? "" : serial(spec.serialLog)}
		${spec.agent ? "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>" : ""}
		<video><model type='vga'/></video>
		<memballoon model='none'/>
		${spec.extraDevices}
	</devices>
	${spec.extraXml}
</domain>
`;
}

function firmware(nvram: string): string {
	const loader = `<loader readonly='yes' type='pflash'>${OVMF_CODE}</loader>`;
	return `${loader}<nvram template='${OVMF_VARS}'>${escapeXml(nvram)}</nvram>`;
}

function serial(path: string): string {
	return `<serial type='file'><source path='${escapeXml(path)}' append='on'/><target port='0'/></serial>`;
}
