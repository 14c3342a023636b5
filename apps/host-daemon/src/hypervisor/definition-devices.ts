// The devices of a new VM's definition, by an allow-list: a kind that is not named here is dropped and listed (SAFETY F10).
import { keepChannel, keepGraphics, keepPort } from "./definition-consoles.ts";
import { keepDisks, type NewDisk } from "./definition-disks.ts";
import { keepInterface, type Wiring } from "./definition-interfaces.ts";
import {
	describe,
	dropped,
	joinKept,
	type Kept,
	keepPlain,
	keepShape,
	kept,
	PLACE,
	shape,
} from "./definition-keep.ts";
import { childOf, childrenOf, type Element, element } from "./definition-tree.ts";

/** What the devices are made with. */
export type DeviceInput = Wiring & {
	readonly disks: readonly NewDisk[];
	/** Devices of the running VM, for disks that only it had. */
	readonly live: Element | undefined;
	/** The backup holds the TPM's state. */
	readonly tpmState: boolean;
};

type Keeper = (device: Element) => Kept;

const plain: Keeper = (device) => keepPlain(device);

const keepInput: Keeper = (input) => {
	const { type } = input.attributes;
	if (type === "passthrough" || type === "evdev") return dropped(describe(input));
	return keepShape(input, shape("type bus model", { driver: shape("iommu ats packed"), ...PLACE }));
};

const VIDEO = shape("", {
	driver: shape("iommu ats packed vgaconf page_per_vq"),
	model: shape("type ram vram vram64 vgamem heads primary blob edid", {
		acceleration: shape("accel2d accel3d"),
		resolution: shape("x y"),
	}),
	...PLACE,
});

const TPM_BACKEND = shape("type version persistent_state debug", {
	encryption: shape("secret"),
	active_pcr_banks: shape("", {
		sha1: shape(""),
		sha256: shape(""),
		sha384: shape(""),
		sha512: shape(""),
	}),
	profile: shape("name removeDisabled"),
});

const keepTpm =
	(state: boolean): Keeper =>
	(tpm) => {
		if (childOf(tpm, "backend")?.attributes["type"] !== "emulator") return dropped(describe(tpm));
		const slim = keepShape(tpm, shape("model", { backend: TPM_BACKEND, ...PLACE }), "TPM");
		const fresh = "the state of its TPM: the backup holds none, so it begins empty";
		return state ? slim : { ...slim, dropped: [fresh] };
	};

const RNG = shape("model", {
	rate: shape("bytes period"),
	backend: shape("model"),
	driver: shape("iommu ats packed page_per_vq"),
	...PLACE,
});

/** Randomness from the host's own source, wherever the source VM had it from. */
const keepRng: Keeper = (rng) => {
	const slim = keepShape(
		{ ...rng, children: rng.children.filter((child) => child.name !== "backend") },
		RNG,
	);
	const builtin = childOf(rng, "backend")?.attributes["model"] === "builtin";
	const backend = builtin
		? element("backend", { attributes: { model: "builtin" } })
		: element("backend", { attributes: { model: "random" }, text: "/dev/urandom" });
	return {
		...slim,
		elements: slim.elements.map((one) => ({ ...one, children: [backend, ...one.children] })),
	};
};

const keepAudio: Keeper = (audio) => {
	const { id, type } = audio.attributes;
	const quiet = type === "none" || type === "spice";
	return {
		...kept(element("audio", { attributes: { id, type: quiet ? type : "none" } })),
		changed: quiet ? [] : [`audio ${type}: silent`],
	};
};

const SIZE = shape("unit", {}, true);
const MEMORY = shape("model access discard", {
	target: shape("", {
		size: SIZE,
		node: shape("", {}, true),
		block: SIZE,
		requested: SIZE,
	}),
	...PLACE,
});

const keepMemory: Keeper = (memory) => {
	const { model } = memory.attributes;
	if (model !== "dimm" && model !== "virtio-mem") return dropped(describe(memory));
	const children = memory.children.filter((child) => child.name !== "source");
	return keepShape({ ...memory, children }, MEMORY);
};

const keepSmartcard: Keeper = (card) =>
	card.attributes["mode"] === "passthrough" && card.attributes["type"] === "spicevmc"
		? keepShape(card, shape("mode type", PLACE))
		: dropped(describe(card));

/** libvirt names the host's own emulator when the definition names none. */
const nothing: Keeper = () => kept();

const KEEPERS: Readonly<Record<string, Keeper>> = {
	emulator: nothing,
	controller: plain,
	input: keepInput,
	hub: plain,
	watchdog: plain,
	memballoon: plain,
	panic: plain,
	iommu: plain,
	sound: plain,
	nvram: plain,
	video: (video) => keepShape(video, VIDEO),
	audio: keepAudio,
	rng: keepRng,
	memory: keepMemory,
	smartcard: keepSmartcard,
	serial: keepPort,
	parallel: keepPort,
	console: keepPort,
	channel: keepChannel,
	graphics: keepGraphics,
};

const keeperOf = (name: string, input: DeviceInput): Keeper => {
	if (name === "tpm") return keepTpm(input.tpmState);
	const found = Object.hasOwn(KEEPERS, name) ? KEEPERS[name] : undefined;
	return found ?? ((device) => dropped(describe(device)));
};

/** All devices of the new VM: disks, then interfaces, then the rest in the source's order. */
export const keepDevices = (devices: Element | undefined, input: DeviceInput): Kept => {
	const interfaces = childrenOf(devices, "interface");
	const rest = (devices?.children ?? []).filter(
		(device) => device.name !== "disk" && device.name !== "interface",
	);
	const all = joinKept([
		keepDisks(childrenOf(devices, "disk"), input.live, input.disks),
		...interfaces.map((one, index) => keepInterface(one, index, input)),
		...rest.map((device) => keeperOf(device.name, input)(device)),
	]);
	return { ...all, elements: [element("devices", { children: all.elements })] };
};
