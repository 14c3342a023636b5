// Reads libvirt's domain and snapshot XML into the port's plain `Vm`. Pure: what needs another question to libvirt (volumes of
// pools, block jobs, the process) is passed in.
import type { DiskSource, Vm, VmDisk, VmSnapshot, VmState } from "@knib/core";
import {
	disksOfDomain,
	imagesOfDisk,
	nvramOf,
	sourceOf,
	targetOf,
	type XmlSource,
} from "./domain-images.ts";
import {
	allElements,
	attributeOf,
	elementOf,
	elementsOf,
	parseXml,
	textInside,
	type XmlElement,
} from "./xml-document.ts";

/** Where a volume of a storage pool lies. */
export type VolumePlace = { readonly kind: "file" | "block"; readonly path: string };

/** Where volumes lie, by {@link volumeKey}. */
export type Volumes = ReadonlyMap<string, VolumePlace>;

/** Key of a volume in the table of resolved ones. */
export const volumeKey = (volume: { pool: string; volume: string }): string =>
	JSON.stringify([volume.pool, volume.volume]);

/** Answers to the other questions that a VM's picture needs. */
export type VmAnswers = {
	readonly state: VmState;
	readonly persistent: boolean;
	readonly managedSave: boolean;
	readonly run?: string;
	readonly snapshots: readonly VmSnapshot[];
	readonly checkpoints: number;
	readonly volumes: Volumes;
	/** Targets that have a block job. */
	readonly busy: ReadonlySet<string>;
};

const DEVICES = new Map<string, VmDisk["device"]>([
	["disk", "disk"],
	["cdrom", "cdrom"],
	["floppy", "floppy"],
	["lun", "lun"],
]);

const UNITS: Readonly<Record<string, number>> = {
	b: 1,
	bytes: 1,
	KB: 1000,
	k: 1024,
	KiB: 1024,
	MB: 1000 ** 2,
	M: 1024 ** 2,
	MiB: 1024 ** 2,
	GB: 1000 ** 3,
	G: 1024 ** 3,
	GiB: 1024 ** 3,
	TB: 1000 ** 4,
	T: 1024 ** 4,
	TiB: 1024 ** 4,
};

const memoryOf = (domain: XmlElement): number => {
	const memory = elementOf(domain, "memory");
	return Number(textInside(memory)) * (UNITS[attributeOf(memory, "unit") ?? "KiB"] ?? 1024);
};

const place = (source: XmlSource, volumes: Volumes): { source: DiskSource; path?: string } => {
	if (source.kind === "file" || source.kind === "block")
		return { source: source.kind, path: source.path };
	if (source.kind === "volume") {
		const found = volumes.get(volumeKey(source));
		return found === undefined ? { source: "other" } : { source: found.kind, path: found.path };
	}
	if (source.kind === "none") return { source: "file" };
	return { source: source.kind };
};

const has = (element: XmlElement, name: string): boolean => elementOf(element, name) !== undefined;

const readDisk = (disk: XmlElement, answers: VmAnswers): VmDisk => {
	const target = targetOf(disk);
	const format = attributeOf(elementOf(disk, "driver"), "type");
	const encrypted = allElements(disk).some((element) => element.name === "encryption");
	return {
		target,
		bus: attributeOf(elementOf(disk, "target"), "bus") ?? "",
		device: DEVICES.get(attributeOf(disk, "device") ?? "disk") ?? "lun",
		...place(sourceOf(disk), answers.volumes),
		...(format === undefined ? {} : { format }),
		readonly: has(disk, "readonly") || attributeOf(disk, "device") === "cdrom",
		shareable: has(disk, "shareable"),
		transient: has(disk, "transient"),
		encrypted,
		busy: has(disk, "mirror") || answers.busy.has(target),
	};
};

const hasAgentChannel = (devices: XmlElement | undefined): boolean =>
	elementsOf(devices, "channel").some(
		(channel) => attributeOf(elementOf(channel, "target"), "name") === "org.qemu.guest_agent.0",
	);

const MOST_TAGS = 64;
const LONGEST_TAG = 200;

/** Texts that cannot be tags are left out: empty, too long, or with control characters in them (I9). */
const tagsIn = (domain: XmlElement): readonly string[] =>
	elementsOf(domain, "metadata")
		.flatMap(allElements)
		.filter((element) => element.name === "knib:tag")
		.map((element) => textInside(element).trim())
		.filter((tag) => tag !== "" && tag.length <= LONGEST_TAG && !/\p{C}/u.test(tag));

/** Of both definitions: `virsh metadata` changes the live one, `virsh edit` the other. */
const tagsOf = (live: XmlElement, inactive: XmlElement): readonly string[] =>
	[...new Set([...tagsIn(live), ...tagsIn(inactive)])].slice(0, MOST_TAGS);

/** Reads a VM out of its definitions and the other answers. `xml.live` is there only while it runs. Throws COMMAND_FAILED when the XML cannot be read. */
export const readVm = (xml: Vm["xml"], answers: VmAnswers): Vm => {
	const domain = parseXml(xml.live ?? xml.inactive, "domain");
	const devices = elementOf(domain, "devices");
	const nvram = nvramOf(domain);
	return {
		uuid: textInside(elementOf(domain, "uuid")).trim(),
		name: textInside(elementOf(domain, "name")),
		state: answers.state,
		persistent: answers.persistent,
		managedSave: answers.managedSave,
		...(answers.run === undefined ? {} : { run: answers.run }),
		disks: elementsOf(devices, "disk").map((disk) => readDisk(disk, answers)),
		snapshots: answers.snapshots,
		checkpoints: answers.checkpoints,
		agentChannel: hasAgentChannel(devices),
		...(nvram === undefined ? {} : { nvram }),
		tpm: elementsOf(devices, "tpm").some(
			(tpm) => attributeOf(elementOf(tpm, "backend"), "type") === "emulator",
		),
		tags: tagsOf(domain, xml.live === undefined ? domain : parseXml(xml.inactive, "domain")),
		memory: memoryOf(domain),
		xml,
	};
};

/** The volumes of storage pools that a definition's disks name. */
export const volumesIn = (xml: string): readonly { pool: string; volume: string }[] =>
	disksOfDomain(parseXml(xml, "domain")).flatMap((disk) =>
		imagesOfDisk(disk).flatMap(({ source }) => (source.kind === "volume" ? [source] : [])),
	);

/** Whether a definition is that of a running VM: libvirt gives those an id. */
export const isLiveDefinition = (xml: string): boolean =>
	attributeOf(parseXml(xml, "domain"), "id") !== undefined;

/** Reads `snapshot-dumpxml`: the snapshot's own overlays and memory file, and the images of the definitions kept in it. */
export const readSnapshot = (xml: string): VmSnapshot => {
	const snapshot = parseXml(xml, "domainsnapshot");
	const memory = elementOf(snapshot, "memory");
	const kept = elementsOf(snapshot).filter((one) =>
		["domain", "inactiveDomain"].includes(one.name),
	);
	const taken = elementsOf(elementOf(snapshot, "disks"), "disk");
	const external = taken
		.filter((disk) => attributeOf(disk, "snapshot") === "external")
		.map((disk) => attributeOf(disk, "name"));
	const pathsOf = (disks: readonly XmlElement[]): readonly string[] =>
		disks.flatMap(imagesOfDisk).flatMap(({ source }) => ("path" in source ? [source.path] : []));
	const before = kept.flatMap(disksOfDomain);
	const state = before.filter((disk) =>
		external.includes(attributeOf(elementOf(disk, "target"), "dev")),
	);
	const absolute = (paths: readonly string[]): readonly string[] => [
		...new Set(paths.filter((path) => path.startsWith("/"))),
	];
	const memoryFile = attributeOf(memory, "file") ?? "";
	return {
		name: textInside(elementOf(snapshot, "name")),
		memory: ["internal", "external"].includes(attributeOf(memory, "snapshot") ?? "no"),
		files: absolute([memoryFile, ...pathsOf(taken), ...pathsOf(before)]),
		frozen: absolute([memoryFile, ...pathsOf(state)]),
	};
};
