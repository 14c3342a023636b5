// The definition of a throw-away VM: what a restore would define, cut down to what booting takes. No network, no host device, no
// screen that listens; its disks are overlays whose layers are named one by one and labelled by nobody (SPEC 5.2, SAFETY F10, F11).
// Pure.
import type { LayerRead } from "@knib/core";
import { describe } from "./definition-keep.ts";
import {
	childOf,
	childrenOf,
	type Element,
	element,
	parseDefinition,
	writeElement,
} from "./definition-tree.ts";
import type { HostCapabilities } from "./host-capabilities.ts";
import { newDefinition } from "./new-definition.ts";

/** Namespace of knib's own elements in a definition's metadata. */
export const VALIDATION_NAMESPACE = "https://knib.invalid/validation/1";

/** What a throw-away VM is made of. */
export type ValidationDefinitionInput = {
	/** The saved inactive definition, and the saved live one, null when there is none. */
	readonly xml: string;
	readonly live: string | null;
	readonly name: string;
	readonly uuid: string;
	readonly genid: string;
	/** Id of this host: its daemon clears the VM away. */
	readonly host: string;
	/** Overlay of each disk and the layers it stands on, the backup's own first. */
	readonly disks: readonly {
		readonly target: string;
		readonly overlay: string;
		readonly layers: readonly LayerRead[];
	}[];
	readonly nvram: string | null;
	readonly tpmState: boolean;
	/** Bytes; 0: as the VM. */
	readonly memoryLimit: number;
	readonly type: "kvm" | "qemu";
	/** Replaces the VM's own CPU; null keeps it. */
	readonly cpu: "maximum" | null;
	/** Models of video devices that this host has; null when unknown. */
	readonly videoModels: readonly string[] | null;
	readonly securityModels: HostCapabilities["securityModels"];
};

/** A throw-away VM's definition. */
export type MadeDefinition = {
	readonly xml: string;
	/** Bytes. */
	readonly memory: number;
	readonly dropped: readonly string[];
};

/** Parts of the domain that booting needs. */
const PARTS: readonly string[] = [
	"name",
	"uuid",
	"genid",
	"memory",
	"currentMemory",
	"vcpu",
	"vcpus",
	"iothreads",
	"iothreadids",
	"sysinfo",
	"os",
	"features",
	"cpu",
	"clock",
	"pm",
	"devices",
];

const DEVICES: readonly string[] = [
	"disk",
	"controller",
	"input",
	"hub",
	"video",
	"memballoon",
	"panic",
	"iommu",
	"rng",
	"tpm",
	"serial",
	"parallel",
	"console",
	"channel",
	"nvram",
];

const UNITS: Readonly<Record<string, number>> = {
	b: 1,
	bytes: 1,
	KB: 1000,
	k: 1024,
	KiB: 1024,
	MB: 1e6,
	M: 1024 ** 2,
	MiB: 1024 ** 2,
	GB: 1e9,
	G: 1024 ** 3,
	GiB: 1024 ** 3,
	TB: 1e12,
	T: 1024 ** 4,
	TiB: 1024 ** 4,
};

const bytesOf = (memory: Element | undefined): number =>
	Number(memory?.text ?? "0") * (UNITS[memory?.attributes["unit"] ?? "KiB"] ?? 1024);

/** Memory of a definition with the memory devices it can do without, bytes. */
const memoryOf = (domain: Element, limit: number): number => {
	const own = bytesOf(childOf(domain, "memory"));
	return limit > 0 ? Math.min(own, limit) : own;
};

const inKibibytes = (name: string, bytes: number): Element =>
	element(name, { attributes: { unit: "KiB" }, text: String(Math.floor(bytes / 1024)) });

const unlabelled = (models: readonly string[]): readonly Element[] =>
	["dac", "selinux"]
		.filter((model) => models.includes(model))
		.map((model) => element("seclabel", { attributes: { model, relabel: "no" } }));

/** The layers of a disk as libvirt is to open them: each named, so that it neither looks for nor labels one by itself. */
const backingOf = (layers: readonly LayerRead[], models: readonly string[]): Element => {
	const [first, ...rest] = layers;
	if (first === undefined) return element("backingStore");
	const source = element("source", {
		attributes: { file: first.path },
		children: unlabelled(models),
	});
	return element("backingStore", {
		attributes: { type: "file" },
		children: [
			element("format", { attributes: { type: "qcow2" } }),
			source,
			backingOf(rest, models),
		],
	});
};

/** Parts of a disk that have no place in a throw-away VM. */
const NOT_OF_DISK: readonly string[] = ["iotune"];
/** Attributes of a disk's driver that say how the old storage was used. */
const NOT_OF_DRIVER: readonly string[] = ["cache", "io", "error_policy", "rerror_policy"];

const diskOf = (disk: Element, input: ValidationDefinitionInput): Element => {
	const target = childOf(disk, "target")?.attributes["dev"];
	const found = input.disks.find((one) => one.target === target);
	if (found === undefined) return disk;
	const children = disk.children.flatMap((child): readonly Element[] => {
		if (NOT_OF_DISK.includes(child.name)) return [];
		if (child.name === "source") return [child, backingOf(found.layers, input.securityModels)];
		if (child.name !== "driver") return [child];
		const kept = Object.entries(child.attributes).filter(([name]) => !NOT_OF_DRIVER.includes(name));
		// Nothing in it outlives the VM: no flush is worth waiting for. On trouble the VM stops, and that is ours.
		const own = { cache: "unsafe", error_policy: "stop", rerror_policy: "stop" };
		return [{ ...child, attributes: { ...Object.fromEntries(kept), ...own } }];
	});
	return { ...disk, children };
};

const isAgent = (channel: Element): boolean => channel.attributes["type"] === "unix";

const screenOf = (videoModels: readonly string[] | null, arch: string): string => {
	const wanted = /^(?:x86_64|i686)$/.test(arch) ? "vga" : "virtio";
	return videoModels === null || videoModels.includes(wanted) ? wanted : (videoModels[0] ?? wanted);
};

const videoOf = (video: Element, input: ValidationDefinitionInput, arch: string): Element => {
	const model = childOf(video, "model");
	const type = model?.attributes["type"] ?? "none";
	const usable = type !== "none" && (input.videoModels?.includes(type) ?? true);
	const attributes = usable ? model?.attributes : { type: screenOf(input.videoModels, arch) };
	const own = element("model", attributes === undefined ? {} : { attributes });
	const place = video.children.filter((child) => child.name === "address" && usable);
	return element("video", { children: [own, ...place] });
};

const devicesOf = (
	devices: Element | undefined,
	input: ValidationDefinitionInput,
	arch: string,
): { readonly kept: Element; readonly dropped: readonly string[] } => {
	const dropped: string[] = [];
	const children = (devices?.children ?? []).flatMap((device): readonly Element[] => {
		if (device.name === "disk") return [diskOf(device, input)];
		if (device.name === "video") return [videoOf(device, input, arch)];
		const kept = DEVICES.includes(device.name) && (device.name !== "channel" || isAgent(device));
		if (!kept) dropped.push(describe(device));
		return kept ? [device] : [];
	});
	const blind = childrenOf(devices, "video").length === 0;
	const model = element("model", { attributes: { type: screenOf(input.videoModels, arch) } });
	const screen = blind ? [element("video", { children: [model] })] : [];
	return { kept: element("devices", { children: [...children, ...screen] }), dropped };
};

/** What only KVM has. */
const OF_KVM: readonly string[] = ["hyperv", "kvm"];

const featuresOf = (features: Element, type: "kvm" | "qemu"): Element => ({
	...features,
	children: features.children.filter((one) => type === "kvm" || !OF_KVM.includes(one.name)),
});

const clockOf = (clock: Element, type: "kvm" | "qemu"): Element => ({
	...clock,
	children: clock.children.filter(
		(timer) =>
			type === "kvm" || !["kvmclock", "hypervclock"].includes(timer.attributes["name"] ?? ""),
	),
});

const cpuOf = (cpu: Element, replacement: "maximum" | null): Element =>
	replacement === null
		? { ...cpu, children: cpu.children.filter((child) => child.name !== "numa") }
		: element("cpu", {
				attributes: { mode: replacement },
				children: childrenOf(cpu, "topology"),
			});

/** The architecture of a definition. */
export const archOf = (domain: Element): string =>
	childOf(childOf(domain, "os"), "type")?.attributes["arch"] ?? "x86_64";

const partOf = (part: Element, input: ValidationDefinitionInput, memory: number): Element => {
	switch (part.name) {
		case "memory":
		case "currentMemory":
			return inKibibytes(part.name, memory);
		case "features":
			return featuresOf(part, input.type);
		case "clock":
			return clockOf(part, input.type);
		case "cpu":
			return cpuOf(part, input.cpu);
		default:
			return part;
	}
};

const ENDS: readonly Element[] = [
	element("on_poweroff", { text: "destroy" }),
	element("on_reboot", { text: "restart" }),
	element("on_crash", { text: "destroy" }),
];

const markerOf = (host: string): Element =>
	element("metadata", {
		children: [
			element("knib:validation", { attributes: { "xmlns:knib": VALIDATION_NAMESPACE, host } }),
		],
	});

/** Makes the definition. Throws VERIFY_FAILED when the saved one cannot be read or is none of a VM. */
export const validationDefinition = (input: ValidationDefinitionInput): MadeDefinition => {
	const { name, uuid, genid, nvram, tpmState, xml, live } = input;
	const restored = newDefinition({
		...{ xml, live, name, uuid, genid, nvram, tpmState },
		disks: input.disks.map(({ target, overlay }) => ({ target, path: overlay })),
		connect: (network) => network,
		keepMac: false,
		macs: [],
	});
	const domain = parseDefinition(restored.xml);
	const memory = memoryOf(domain, input.memoryLimit);
	const { kept, dropped } = devicesOf(childOf(domain, "devices"), input, archOf(domain));
	const parts = domain.children
		.filter((part) => PARTS.includes(part.name))
		.map((part) => (part.name === "devices" ? kept : partOf(part, input, memory)));
	return {
		xml: writeElement(
			element("domain", {
				attributes: { type: input.type },
				children: [...parts, markerOf(input.host), ...ENDS],
			}),
		),
		memory,
		dropped: [...restored.dropped, ...dropped],
	};
};
