// The image files that a `<disk>` of libvirt's XML names: its source, its stored backing chain, the target of a running copy.
import { attributeOf, elementOf, elementsOf, textInside, type XmlElement } from "./xml-document.ts";

/** A disk's source as the XML says it. */
export type XmlSource =
	| { readonly kind: "file" | "block"; readonly path: string }
	| { readonly kind: "volume"; readonly pool: string; readonly volume: string }
	| { readonly kind: "network" | "other" | "none" };

/** One image that a disk names. `role`: what the guest writes, what lies below it, what a copy job writes. */
export type XmlImage = {
	readonly role: "top" | "below" | "mirror";
	readonly source: XmlSource;
	readonly format?: string;
};

/** The source of a `<disk>`, `<backingStore>` or `<mirror>`. */
export const sourceOf = (holder: XmlElement): XmlSource => {
	const source = elementOf(holder, "source");
	const file = attributeOf(source, "file");
	if (file !== undefined && file !== "") return { kind: "file", path: file };
	const device = attributeOf(source, "dev");
	if (device !== undefined && device !== "") return { kind: "block", path: device };
	const pool = attributeOf(source, "pool");
	const volume = attributeOf(source, "volume");
	if (pool !== undefined && volume !== undefined) return { kind: "volume", pool, volume };
	const type = attributeOf(holder, "type");
	if (type === "network") return { kind: "network" };
	return { kind: source === undefined ? "none" : "other" };
};

const optional = (format: string | undefined): { format?: string } =>
	format === undefined ? {} : { format };

/** Elements of the stored backing chain, top first; the empty element that ends a chain is not among them. */
export const backingStores = (disk: XmlElement): readonly XmlElement[] => {
	const next = elementOf(disk, "backingStore");
	return next === undefined || elementOf(next, "source") === undefined
		? []
		: [next, ...backingStores(next)];
};

/** Format of a `<backingStore>` or `<mirror>`. */
export const storeFormat = (store: XmlElement): string | undefined =>
	attributeOf(elementOf(store, "format"), "type");

/** All images that a `<disk>` names, the top one first. */
export const imagesOfDisk = (disk: XmlElement): readonly XmlImage[] => {
	const top: XmlImage = {
		role: "top",
		source: sourceOf(disk),
		...optional(attributeOf(elementOf(disk, "driver"), "type")),
	};
	const below = backingStores(disk).map(
		(store): XmlImage => ({
			role: "below",
			source: sourceOf(store),
			...optional(storeFormat(store)),
		}),
	);
	const mirrors = elementsOf(disk, "mirror").flatMap((mirror): readonly XmlImage[] => {
		const source = mirrorSource(mirror);
		return source === undefined
			? []
			: [{ role: "mirror", source, ...optional(storeFormat(mirror)) }];
	});
	return [top, ...below, ...mirrors];
};

/** Where a copy job writes; an old form of the XML has the path as an attribute. */
const mirrorSource = (mirror: XmlElement): XmlSource | undefined => {
	const source = sourceOf(mirror);
	if (source.kind !== "none") return source;
	const file = attributeOf(mirror, "file");
	return file === undefined ? undefined : { kind: "file", path: file };
};

/** All `<disk>` elements of a `<domain>`. */
export const disksOfDomain = (domain: XmlElement): readonly XmlElement[] =>
	elementsOf(elementOf(domain, "devices"), "disk");

/** A disk's target name, such as `vda`. */
export const targetOf = (disk: XmlElement): string =>
	attributeOf(elementOf(disk, "target"), "dev") ?? "";

/** Absolute path of the NVRAM file, in either of libvirt's two forms. */
export const nvramOf = (domain: XmlElement): string | undefined => {
	const nvram = elementOf(domain, "os", "nvram");
	const path = attributeOf(elementOf(nvram, "source"), "file") ?? textInside(nvram).trim();
	return path.startsWith("/") ? path : undefined;
};
