// Disks of a new VM's definition: those that have a layer, as qcow2 files at their new paths; empty CD-ROM drives; nothing else of
// the host (SAFETY F10).
import { dropped, joinKept, type Kept, keepShape, PLACE, shape } from "./definition-keep.ts";
import { childOf, childrenOf, type Element, element } from "./definition-tree.ts";

/** Where a disk of the backup lies now. */
export type NewDisk = { readonly target: string; readonly path: string };

const IOTUNE = [
	"total_bytes_sec read_bytes_sec write_bytes_sec total_iops_sec read_iops_sec write_iops_sec",
	"total_bytes_sec_max read_bytes_sec_max write_bytes_sec_max total_iops_sec_max read_iops_sec_max",
	"write_iops_sec_max size_iops_sec total_bytes_sec_max_length read_bytes_sec_max_length",
	"write_bytes_sec_max_length total_iops_sec_max_length read_iops_sec_max_length write_iops_sec_max_length",
]
	.join(" ")
	.split(" ");

const value = shape("", {}, true);

const DISK = shape("device model", {
	driver: shape(
		"name cache error_policy rerror_policy io ioeventfd event_idx copy_on_read discard detect_zeroes queues queue_size iothread iommu ats packed page_per_vq discard_no_unref",
		{ metadata_cache: shape("", { max_size: shape("unit", {}, true) }) },
	),
	target: shape("dev bus tray removable rotation_rate"),
	iotune: shape("", Object.fromEntries(IOTUNE.map((name) => [name, value]))),
	serial: value,
	wwn: value,
	vendor: value,
	product: value,
	blockio: shape("logical_block_size physical_block_size discard_granularity"),
	geometry: shape("cyls heads secs trans"),
	...PLACE,
});

const CDROM = shape("device model", {
	target: shape("dev bus"),
	serial: value,
	readonly: shape(""),
	...PLACE,
});

/** Parts of a disk that speak of the old image only; that they go needs no word. */
const OF_THE_IMAGE: readonly string[] = ["source", "backingStore", "mirror", "transient"];
const OF_THE_DEFINITION: readonly string[] = ["type", "snapshot", "startupPolicy"];

const withoutImage = (disk: Element): Element => ({
	...disk,
	attributes: Object.fromEntries(
		Object.entries(disk.attributes).filter(([name]) => !OF_THE_DEFINITION.includes(name)),
	),
	children: disk.children
		.filter((child) => !OF_THE_IMAGE.includes(child.name))
		.map((child) =>
			child.name === "driver"
				? {
						...child,
						attributes: Object.fromEntries(
							Object.entries(child.attributes).filter(([name]) => name !== "type"),
						),
					}
				: child,
		),
});

const QCOW2 = { name: "qemu", type: "qcow2" };

const onFile = (disk: Element, path: string): Element => {
	const driver = childOf(disk, "driver");
	const rest = disk.children.filter((child) => child.name !== "driver");
	return element("disk", {
		attributes: { type: "file", device: "disk", ...modelOf(disk) },
		children: [
			element("driver", {
				attributes: { ...QCOW2, ...driver?.attributes, ...QCOW2 },
				children: driver?.children ?? [],
			}),
			element("source", { attributes: { file: path } }),
			...rest,
		],
	});
};

const modelOf = (disk: Element): { model?: string } => {
	const model = disk.attributes["model"];
	return model === undefined ? {} : { model };
};

/** The target of a `<disk>`; empty where it has none. */
export const targetOf = (disk: Element): string => childOf(disk, "target")?.attributes["dev"] ?? "";

const keepLayer = (disk: Element, path: string): Kept => {
	const slim = keepShape(withoutImage(disk), DISK, `disk ${targetOf(disk)}`);
	return { ...slim, elements: slim.elements.map((one) => onFile(one, path)) };
};

const keepDrive = (drive: Element): Kept => {
	const target = targetOf(drive);
	const medium = childOf(drive, "source");
	const source = Object.values(medium?.attributes ?? {})[0];
	const slim = keepShape(
		withoutImage(drive),
		{ ...CDROM, children: { ...CDROM.children, driver: shape("") } },
		`CD-ROM drive ${target}`,
	);
	return {
		elements: slim.elements.map((one) =>
			element("disk", {
				attributes: { type: "file", device: "cdrom", ...modelOf(one) },
				children: [
					element("driver", { attributes: { name: "qemu", type: "raw" } }),
					...one.children.filter((child) => child.name !== "driver"),
				],
			}),
		),
		dropped: [],
		changed: source === undefined ? [] : [`CD-ROM drive ${target}: empty, ${source} was in it`],
	};
};

const whyNoLayer = (disk: Element): string => {
	if (childOf(disk, "shareable") !== undefined) return "shareable";
	if (childOf(disk, "readonly") !== undefined) return "read-only";
	const device = disk.attributes["device"] ?? "disk";
	return device === "disk" ? (disk.attributes["type"] ?? "file") : device;
};

const keepDisk = (disk: Element, disks: readonly NewDisk[]): Kept => {
	const target = targetOf(disk);
	const layer = disks.find((one) => one.target === target);
	if (layer !== undefined) return keepLayer(disk, layer.path);
	if (disk.attributes["device"] === "cdrom") return keepDrive(disk);
	const source = childOf(disk, "source");
	const named = source === undefined ? "" : `, ${Object.values(source.attributes)[0] ?? ""}`;
	return dropped(`disk ${target} (${whyNoLayer(disk)}${named}): the backup holds no layer of it`);
};

const BUSES: Readonly<Record<string, string>> = { vd: "virtio", sd: "sata", hd: "ide" };

/** A disk that only the running VM had: as its live definition says, without what libvirt had assigned to it. */
const hotPlugged = (disk: NewDisk, live: Element | undefined): Kept => {
	const found = childrenOf(live, "disk").find((one) => targetOf(one) === disk.target);
	const bus = BUSES[disk.target.slice(0, 2)];
	const source =
		found === undefined
			? element("disk", {
					children: [element("target", { attributes: { dev: disk.target, bus } })],
				})
			: {
					...found,
					children: found.children.filter((child) => !["alias", "address"].includes(child.name)),
				};
	const slim = keepLayer(source, disk.path);
	const text = `disk ${disk.target}: it was attached to the running VM only and is now in the definition`;
	return { ...slim, changed: [text] };
};

/** The disks of the new VM, in the order of the source's definition. */
export const keepDisks = (
	sources: readonly Element[],
	live: Element | undefined,
	disks: readonly NewDisk[],
): Kept => {
	const seen = new Set<string>();
	const first = sources.filter((disk) => {
		const target = targetOf(disk);
		const fresh = !seen.has(target);
		seen.add(target);
		return fresh;
	});
	const added = disks.filter((disk) => !seen.has(disk.target));
	return joinKept([
		...first.map((disk) => keepDisk(disk, disks)),
		...added.map((disk) => hotPlugged(disk, live)),
	]);
};
