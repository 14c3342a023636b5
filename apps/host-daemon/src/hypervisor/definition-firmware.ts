// What a new VM boots by: firmware of the host, its own copy of the boot variables, and nothing that names a file which no backup
// holds (SAFETY F10).
import {
	describe,
	dropped,
	joinKept,
	type Kept,
	keepShape,
	kept,
	shape,
} from "./definition-keep.ts";
import { childOf, type Element, element } from "./definition-tree.ts";

/** Directories of firmware packages; an image elsewhere is a file that some VM owns, or one that a VM has no business to read. */
const FIRMWARE: readonly string[] = [
	"/usr/share/",
	"/usr/lib/",
	"/usr/lib64/",
	"/usr/local/share/",
	"/run/libvirt/nix-ovmf/",
	"/nix/store/",
];

const isFirmware = (path: string): boolean =>
	FIRMWARE.some((directory) => path.startsWith(directory)) &&
	!path.split("/").some((part) => part === "." || part === "..");

const OS_PARTS = {
	type: shape("arch machine", {}, true),
	boot: shape("dev"),
	bootmenu: shape("enable timeout"),
	bios: shape("useserial rebootTimeout"),
	smbios: shape("mode"),
	firmware: shape("", { feature: shape("enabled name") }),
};

const LOADER: readonly string[] = ["type", "secure", "stateless", "format"];

const keepLoader = (loader: Element): Kept => {
	const path = loader.text.trim();
	if (path !== "" && !isFirmware(path)) return dropped(`firmware ${path}: no package's firmware`);
	const attributes = Object.fromEntries(
		Object.entries(loader.attributes).filter(([name]) => LOADER.includes(name)),
	);
	const readonly = path === "" ? {} : { readonly: "yes" };
	return kept(element("loader", { attributes: { ...readonly, ...attributes }, text: path }));
};

const keepNvram = (nvram: Element, copy: string | null): Kept => {
	if (copy !== null) {
		const { format } = nvram.attributes;
		return kept(element("nvram", { attributes: { format }, text: copy }));
	}
	const { template } = nvram.attributes;
	const lost = "its firmware's variables: the backup holds none, so libvirt makes new ones";
	const usable = template !== undefined && isFirmware(template);
	return {
		elements: usable ? [element("nvram", { attributes: { template } })] : [],
		dropped: [lost],
		changed: [],
	};
};

/** Everything that boots the VM, with `nvram` as the path of the copied variables, or null. Files of a direct kernel boot are no part of a backup and are dropped. */
export const keepOs = (os: Element, nvram: string | null): Kept => {
	const parts = os.children.map((child): Kept => {
		if (child.name === "loader") return keepLoader(child);
		if (child.name === "nvram") return keepNvram(child, nvram);
		const known = Object.entries(OS_PARTS).find(([name]) => name === child.name)?.[1];
		return known === undefined ? dropped(`boot: ${describe(child)}`) : keepShape(child, known);
	});
	const all = joinKept(parts);
	const { firmware } = os.attributes;
	// libvirt leaves the variables' path out of the inactive definition when it chooses the firmware itself.
	const unnamed = nvram !== null && childOf(os, "nvram") === undefined;
	const added = unnamed ? [element("nvram", { text: nvram })] : [];
	const children = [...all.elements, ...added];
	return { ...all, elements: [element("os", { attributes: { firmware }, children })] };
};

/** The firmware image that a definition names; null where libvirt chooses. */
export const firmwareOf = (domain: Element): string | null => {
	const path = childOf(childOf(domain, "os"), "loader")?.text.trim() ?? "";
	return path === "" ? null : path;
};
