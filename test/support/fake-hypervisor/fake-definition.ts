// Definitions of the fake world's VMs: real libvirt XML, small.
import {
	disksOfDomain,
	sourceOf,
	targetOf,
} from "../../../apps/host-daemon/src/hypervisor/domain-images.ts";
import {
	attributeOf,
	elementOf,
	makeElement,
	mapElements,
	parseXml,
	textInside,
	writeXml,
	type XmlElement,
} from "../../../apps/host-daemon/src/hypervisor/xml-document.ts";

export type FakeDisk = {
	readonly target: string;
	readonly path: string;
	readonly format: string;
	readonly kind?: "file" | "block";
};

const text = (name: string, value: string): XmlElement => ({
	...makeElement(name, {}),
	children: [{ kind: "raw", raw: value.replaceAll("&", "&amp;").replaceAll("<", "&lt;") }],
});

const sourceFor = (disk: Pick<FakeDisk, "path" | "kind">): XmlElement =>
	makeElement("source", disk.kind === "block" ? { dev: disk.path } : { file: disk.path });

const diskElement = ({ target, path, format, kind = "file" }: FakeDisk): XmlElement =>
	makeElement("disk", { type: kind, device: "disk" }, [
		makeElement("driver", { name: "qemu", type: format }),
		sourceFor({ path, kind }),
		makeElement("target", { dev: target, bus: "virtio" }),
	]);

/** A definition with the given disks, and a channel for the agent where wanted. */
export const fakeDefinition = (vm: {
	readonly name: string;
	readonly uuid: string;
	readonly disks: readonly FakeDisk[];
	readonly agent?: boolean;
}): string => {
	const channel = makeElement("channel", { type: "unix" }, [
		makeElement("target", { type: "virtio", name: "org.qemu.guest_agent.0" }),
	]);
	return writeXml(
		makeElement("domain", { type: "kvm" }, [
			text("name", vm.name),
			text("uuid", vm.uuid),
			{ ...text("memory", "65536"), attributes: { unit: "KiB" } },
			makeElement("devices", {}, [
				...vm.disks.map(diskElement),
				...(vm.agent === true ? [channel] : []),
			]),
		]),
	);
};

/** Name and uuid that a definition gives; libvirt makes up a uuid that is not there. */
export const nameAndUuid = (xml: string): { name: string; uuid: string | undefined } => {
	const domain = parseXml(xml, "domain");
	const uuid = textInside(elementOf(domain, "uuid")).trim();
	return { name: textInside(elementOf(domain, "name")), uuid: uuid === "" ? undefined : uuid };
};

const moveTo = (device: XmlElement, disk: FakeDisk): XmlElement => {
	const moved = mapElements(device, (child) => {
		if (child.name === "backingStore") return undefined;
		if (child.name === "source") return sourceFor(disk);
		return child.name === "driver"
			? makeElement("driver", { name: "qemu", type: disk.format })
			: child;
	});
	return { ...moved, attributes: { ...moved.attributes, type: disk.kind ?? "file" } };
};

const inDevices = (xml: string, change: (device: XmlElement) => XmlElement): string =>
	writeXml(
		mapElements(parseXml(xml, "domain"), (part) =>
			part.name === "devices" ? mapElements(part, change) : part,
		),
	);

/** The definition with another image for one disk. */
export const withDiskOn = (xml: string, disk: FakeDisk): string =>
	inDevices(xml, (device) =>
		device.name === "disk" && targetOf(device) === disk.target ? moveTo(device, disk) : device,
	);

/** The definition with one more device. */
export const withDevice = (xml: string, deviceXml: string): string => {
	const name = /^\s*<([\w-]+)/.exec(deviceXml)?.[1] ?? "disk";
	const device = parseXml(deviceXml, name);
	return writeXml(
		mapElements(parseXml(xml, "domain"), (part) =>
			part.name === "devices" ? { ...part, children: [...part.children, device] } : part,
		),
	);
};

/** The definition as libvirt shows it while the VM runs. */
export const asLive = (xml: string, id: number): string => {
	const domain = parseXml(xml, "domain");
	return writeXml({ ...domain, attributes: { ...domain.attributes, id: String(id) } });
};

/** Paths and formats of a definition's disks, by target; what has no path is left out. */
export const disksIn = (xml: string): ReadonlyMap<string, { path: string; format: string }> => {
	const disks = new Map<string, { path: string; format: string }>();
	for (const disk of disksOfDomain(parseXml(xml, "domain"))) {
		const source = sourceOf(disk);
		const format = attributeOf(elementOf(disk, "driver"), "type") ?? "raw";
		if ("path" in source) disks.set(targetOf(disk), { path: source.path, format });
	}
	return disks;
};
