// Changes a stored definition after a merge: the disk names the base where it named the merged image, and the stored backing chain
// leaves out what was merged. Everything else of the definition stays as it is written. Pure.
import { KnibError } from "@knib/core";
import { backingStores, sourceOf, storeFormat, targetOf } from "./domain-images.ts";
import { type Volumes, volumeKey } from "./domain-xml.ts";
import {
	attributeOf,
	elementOf,
	makeElement,
	mapElements,
	parseXml,
	writeXml,
	type XmlElement,
} from "./xml-document.ts";

/** What was merged into what: `merged` are the images above the base, top first. */
export type MergedImages = {
	readonly target: string;
	readonly merged: readonly string[];
	readonly base: {
		readonly path: string;
		readonly format: string;
		readonly kind: "file" | "block";
	};
	/** Where the volumes lie that the definition names. */
	readonly volumes: Volumes;
};

const pathOf = (holder: XmlElement, volumes: Volumes): string | undefined => {
	const source = sourceOf(holder);
	if (source.kind === "volume") return volumes.get(volumeKey(source))?.path;
	return "path" in source ? source.path : undefined;
};

const newSource = (base: MergedImages["base"]): XmlElement =>
	makeElement("source", base.kind === "block" ? { dev: base.path } : { file: base.path });

/** The stored chain without the merged images. Once the base is reached the rest stays as it is. */
const withoutMerged = (store: XmlElement, change: MergedImages): XmlElement | undefined => {
	const path = pathOf(store, change.volumes);
	if (path === change.base.path || path === undefined) return store;
	const below = elementOf(store, "backingStore");
	if (change.merged.includes(path)) {
		return below === undefined ? undefined : withoutMerged(below, change);
	}
	return mapElements(store, (child) =>
		child.name === "backingStore" ? withoutMerged(child, change) : child,
	);
};

const withFormat = (driver: XmlElement, format: string): XmlElement => ({
	...driver,
	attributes: { ...driver.attributes, type: format },
});

/** The disk now standing on the base itself, as the stored chain describes the base where it does: a volume is named as one again. */
const onBase = (disk: XmlElement, change: MergedImages): XmlElement => {
	const { base, volumes } = change;
	const store = backingStores(disk).find((one) => pathOf(one, volumes) === base.path);
	const source = (store && elementOf(store, "source")) ?? newSource(base);
	const below = store && elementOf(store, "backingStore");
	const format = (store && storeFormat(store)) ?? base.format;
	const moved = mapElements(disk, (child) => {
		if (child.name === "source") return source;
		if (child.name === "driver") return withFormat(child, format);
		return child.name === "backingStore" ? below : child;
	});
	const type = attributeOf(store, "type") ?? base.kind;
	return { ...moved, attributes: { ...moved.attributes, type } };
};

const changeDisk = (disk: XmlElement, change: MergedImages): XmlElement => {
	const path = pathOf(disk, change.volumes);
	if (path !== undefined && change.merged.includes(path)) return onBase(disk, change);
	return mapElements(disk, (child) =>
		child.name === "backingStore" ? withoutMerged(child, change) : child,
	);
};

/** The definition after the merge; undefined when it says so already. Throws NOT_FOUND when the definition has no such disk. */
export const afterMerge = (xml: string, change: MergedImages): string | undefined => {
	const domain = parseXml(xml, "domain");
	let found = false;
	const changed = mapElements(domain, (part) =>
		part.name !== "devices"
			? part
			: mapElements(part, (device) => {
					if (device.name !== "disk" || targetOf(device) !== change.target) return device;
					found = true;
					return changeDisk(device, change);
				}),
	);
	if (!found) throw new KnibError("NOT_FOUND", `the definition has no disk ${change.target}`);
	const before = writeXml(domain);
	const after = writeXml(changed);
	return after === before ? undefined : after;
};

/** Paths of a disk's images as a definition stores them, top first; only the top where no chain is stored. Volumes are named by their paths. */
export const storedChain = (xml: string, target: string, volumes: Volumes): readonly string[] => {
	const devices = elementOf(parseXml(xml, "domain"), "devices");
	const disk = devices?.children.find(
		(node): node is XmlElement =>
			node.kind === "element" && node.name === "disk" && targetOf(node) === target,
	);
	if (disk === undefined) throw new KnibError("NOT_FOUND", `the definition has no disk ${target}`);
	return [disk, ...backingStores(disk)].flatMap((one) => pathOf(one, volumes) ?? []);
};
