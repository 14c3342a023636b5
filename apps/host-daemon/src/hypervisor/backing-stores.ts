// Layers of a repository below a disk, named one by one in a definition, so that libvirt neither looks for nor labels one by itself
// (SAFETY F11); and the disk once it stands on itself. On trouble with a layer the VM pauses: it never sees an error (F18). Pure.
import type { DiskPolicies } from "@knib/core";
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

const unlabelled = (models: readonly string[]): readonly XmlElement[] =>
	["dac", "selinux"]
		.filter((model) => models.includes(model))
		.map((model) => makeElement("seclabel", { model, relabel: "no" }));

const backingOf = (layers: readonly string[], models: readonly string[]): XmlElement => {
	const [first, ...rest] = layers;
	if (first === undefined) return makeElement("backingStore", {});
	return makeElement("backingStore", { type: "file" }, [
		makeElement("format", { type: "qcow2" }),
		makeElement("source", { file: first }, unlabelled(models)),
		backingOf(rest, models),
	]);
};

const POLICIES: readonly string[] = ["error_policy", "rerror_policy"];

const withPolicies = (driver: XmlElement, { write, read }: DiskPolicies): XmlElement => ({
	...driver,
	attributes: {
		...Object.fromEntries(
			Object.entries(driver.attributes).filter(([name]) => !POLICIES.includes(name)),
		),
		...(write === null ? {} : { error_policy: write }),
		...(read === null ? {} : { rerror_policy: read }),
	},
});

const changeDisk = (
	disk: XmlElement,
	policies: DiskPolicies,
	backing: XmlElement | undefined,
): XmlElement => {
	const changed = mapElements(disk, (child) => {
		if (child.name === "backingStore") return undefined;
		return child.name === "driver" ? withPolicies(child, policies) : child;
	});
	if (backing === undefined) return changed;
	const driver = elementOf(changed, "driver");
	const added =
		driver === undefined ? [makeElement("driver", { name: "qemu", type: "qcow2" })] : [];
	return {
		...changed,
		children: [...added.map((one) => withPolicies(one, policies)), ...changed.children, backing],
	};
};

const changeDisks = (
	xml: string,
	change: (disk: XmlElement, target: string) => XmlElement,
): string => {
	const devices = (part: XmlElement): XmlElement =>
		mapElements(part, (device) =>
			device.name === "disk" ? change(device, targetOf(device)) : device,
		);
	return writeXml(
		mapElements(parseXml(xml, "domain"), (part) =>
			part.name === "devices" ? devices(part) : part,
		),
	);
};

const PAUSE: DiskPolicies = { write: "stop", read: "stop" };

/** A `<disk>` over layers, the backup's own first. `models`: the security models that libvirt labels files by. */
export const diskOverLayers = (
	disk: string,
	layers: readonly string[],
	models: readonly string[],
): string => writeXml(changeDisk(parseXml(disk, "disk"), PAUSE, backingOf(layers, models)));

/** A definition with disks over layers. */
export const overLayers = (
	xml: string,
	disks: readonly { readonly target: string; readonly layers: readonly string[] }[],
	models: readonly string[],
): string =>
	changeDisks(xml, (disk, target) => {
		const found = disks.find((one) => one.target === target);
		return found === undefined ? disk : changeDisk(disk, PAUSE, backingOf(found.layers, models));
	});

/** A definition whose disks stand on themselves again. */
export const onThemselves = (
	xml: string,
	disks: readonly { readonly target: string; readonly policies: DiskPolicies }[],
): string =>
	changeDisks(xml, (disk, target) => {
		const found = disks.find((one) => one.target === target);
		return found === undefined ? disk : changeDisk(disk, found.policies, undefined);
	});

/** What the drivers of a definition's disks do on trouble, by target. */
export const policiesOf = (xml: string): Readonly<Record<string, DiskPolicies>> =>
	Object.fromEntries(
		disksOfDomain(parseXml(xml, "domain")).map((disk) => {
			const [driver] = elementsOf(disk, "driver");
			const { error_policy: write = null, rerror_policy: read = null } = driver?.attributes ?? {};
			return [targetOf(disk), { write, read }];
		}),
	);
