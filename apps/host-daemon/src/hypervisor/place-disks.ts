// Puts other images under the disks of a definition; all else of it stays as it is written. Pure.
import { KnibError } from "@knib/core";
import { disksOfDomain, targetOf } from "./domain-images.ts";
import {
	elementOf,
	elementsOf,
	makeElement,
	mapElements,
	parseXml,
	writeXml,
	type XmlElement,
} from "./xml-document.ts";

/** What becomes of one disk. */
export type DiskChange =
	/** It stands on this file; libvirt learns what lies below from the image itself. */
	| { readonly target: string; readonly path: string; readonly format: string }
	/** It is exactly this `<disk>`, whether the definition had one of the target or not. */
	| { readonly target: string; readonly disk: string }
	/** It goes. */
	| { readonly target: string; readonly gone: true };

/** The `<disk>` of a target as the definition writes it; undefined where it has none. */
export const diskXml = (xml: string, target: string): string | undefined => {
	const disk = disksOfDomain(parseXml(xml, "domain")).find((one) => targetOf(one) === target);
	return disk === undefined ? undefined : writeXml(disk);
};

const onFile = (disk: XmlElement, path: string, format: string): XmlElement => {
	const source = makeElement("source", { file: path });
	const hasSource = elementOf(disk, "source") !== undefined;
	const placed = mapElements(disk, (child) => {
		if (child.name === "source") return source;
		if (child.name === "backingStore") return undefined;
		if (child.name !== "driver") return child;
		return { ...child, attributes: { ...child.attributes, type: format } };
	});
	return {
		...placed,
		attributes: { ...placed.attributes, type: "file" },
		children: hasSource ? placed.children : [...placed.children, source],
	};
};

const BUSES: Readonly<Record<string, string>> = { vd: "virtio", sd: "scsi", hd: "ide" };

/** A `<disk>` for a qcow2 file of its own, on the bus that its target speaks of. */
export const fileDiskXml = ({
	target,
	path,
}: {
	readonly target: string;
	readonly path: string;
}): string =>
	writeXml(
		makeElement("disk", { type: "file", device: "disk" }, [
			makeElement("driver", { name: "qemu", type: "qcow2" }),
			makeElement("source", { file: path }),
			makeElement("target", { dev: target, bus: BUSES[target.slice(0, 2)] ?? "virtio" }),
		]),
	);

/** Targets of all disks and drives that definitions have. */
export const targetsOf = (definitions: readonly string[]): readonly string[] => [
	...new Set(definitions.flatMap((xml) => disksOfDomain(parseXml(xml, "domain")).map(targetOf))),
];

const addressOf = (device: XmlElement): string => {
	const address = elementOf(device, "address");
	return address === undefined ? "" : writeXml(makeElement("address", address.attributes));
};

/** Where the devices of a definition sit. */
const takenAddresses = (xml: string): ReadonlySet<string> => {
	const devices = elementOf(parseXml(xml, "domain"), "devices");
	return new Set(elementsOf(devices).map(addressOf));
};

/** A saved `<disk>` for a file of its own. It sits where it sat, so that the guest finds it under its old name, unless another device of `domain` sits there by now. */
export const attachedDisk = (
	saved: string,
	{
		path,
		format,
		domain,
	}: { readonly path: string; readonly format: string; readonly domain: string },
): string => {
	const disk = onFile(parseXml(saved, "disk"), path, format);
	const drop = new Set(["alias", "mirror", "auth", "encryption"]);
	if (takenAddresses(domain).has(addressOf(disk))) drop.add("address");
	return writeXml(mapElements(disk, (child) => (drop.has(child.name) ? undefined : child)));
};

/** The saved `<disk>` without the chain that libvirt has stored with it. */
export const withoutChain = (saved: string): string =>
	writeXml(
		mapElements(parseXml(saved, "disk"), (child) =>
			child.name === "backingStore" ? undefined : child,
		),
	);

const apply = (disk: XmlElement, change: DiskChange): XmlElement | undefined => {
	if ("gone" in change) return undefined;
	if ("disk" in change) return parseXml(change.disk, "disk");
	return onFile(disk, change.path, change.format);
};

/** The definition with its disks changed. Throws NOT_FOUND for a disk that should stand on a file and is not there. */
export const placeDisks = (xml: string, changes: readonly DiskChange[]): string => {
	const domain = parseXml(xml, "domain");
	const there = new Set(disksOfDomain(domain).map(targetOf));
	const missing = changes.find((one) => "path" in one && !there.has(one.target));
	if (missing !== undefined) {
		throw new KnibError("NOT_FOUND", `the definition has no disk ${missing.target}`);
	}
	const added = changes.flatMap((one) =>
		"disk" in one && !there.has(one.target) ? [parseXml(one.disk, "disk")] : [],
	);
	const devices = (part: XmlElement): XmlElement => {
		const changed = mapElements(part, (device) => {
			if (device.name !== "disk") return device;
			const change = changes.find((one) => one.target === targetOf(device));
			return change === undefined ? device : apply(device, change);
		});
		return { ...changed, children: [...changed.children, ...added] };
	};
	return writeXml(mapElements(domain, (part) => (part.name === "devices" ? devices(part) : part)));
};
