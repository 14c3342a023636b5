// Consoles, channels and screens of a new VM's definition: nothing that is a file, a socket or a fixed port of the host, since the
// source VM may run beside it (SAFETY F10).
import { describe, dropped, type Kept, keepShape, kept, PLACE, shape } from "./definition-keep.ts";
import { childOf, childrenOf, type Element, element } from "./definition-tree.ts";

const AGENT = "org.qemu.guest_agent.0";
const SPICE = "com.redhat.spice.0";

const TARGET = shape("type port name chardev", { model: shape("name") });
const PORT = shape("", { target: TARGET, ...PLACE });

/** A serial, parallel or console port on a pseudo terminal of its own. */
export const keepPort = (port: Element): Kept => {
	const type = port.attributes["type"];
	const slim = keepShape({ ...port, attributes: {} }, PORT);
	const source = childOf(port, "source");
	const where = source === undefined ? "" : ` instead of ${type} ${describe(source)}`;
	return {
		...slim,
		elements: slim.elements.map((one) => ({
			...one,
			attributes: { type: "pty" },
			children: one.children.filter((child) => child.name !== "source"),
		})),
		changed: type === "pty" ? [] : [`${port.name}: on a pty${where}`],
	};
};

const CHANNEL = shape("", { target: shape("type name"), ...PLACE });

/** A channel: the guest agent's on a socket that libvirt chooses, SPICE's as it is; others are dropped. */
export const keepChannel = (channel: Element): Kept => {
	const { type } = channel.attributes;
	const name = childOf(channel, "target")?.attributes["name"];
	const agent = type === "unix" && name === AGENT;
	const spice = type === "spicevmc" && name === SPICE;
	if (!agent && !spice) return dropped(describe(channel));
	const { elements } = keepShape({ ...channel, attributes: {} }, CHANNEL);
	return kept(...elements.map((one) => ({ ...one, attributes: { type } })));
};

const LOOPBACK = "127.0.0.1";

const isLoopback = (address: string | undefined): boolean =>
	address !== undefined && /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/.test(address);

const listensOf = (screen: Element): readonly Element[] => {
	const listens = childrenOf(screen, "listen");
	const none = listens.find((one) => one.attributes["type"] === "none");
	if (none !== undefined) return [element("listen", { attributes: { type: "none" } })];
	const own = [
		...listens.map((one) => one.attributes["address"]),
		screen.attributes["listen"],
	].find(isLoopback);
	return [element("listen", { attributes: { type: "address", address: own ?? LOOPBACK } })];
};

const MODE = shape("mode");
const SCREEN = {
	...shape("keymap passwdValidTo connected sharePolicy defaultMode powerControl", {
		channel: shape("name mode"),
		image: shape("compression"),
		jpeg: shape("compression"),
		zlib: shape("compression"),
		playback: shape("compression"),
		streaming: MODE,
		mouse: MODE,
		clipboard: shape("copypaste"),
		filetransfer: shape("enable"),
		gl: shape("enable"),
		audio: shape("id"),
	}),
	free: ["passwd"],
};

/** Attributes and parts that are made anew, without a word. */
const REMADE: readonly string[] = [
	"type",
	"port",
	"tlsPort",
	"autoport",
	"listen",
	"websocketGenerated",
];

const fixedPorts = (screen: Element): readonly string[] =>
	["port", "tlsPort", "websocket"].filter((name) => {
		const port = Number(screen.attributes[name] ?? "-1");
		return screen.attributes["autoport"] !== "yes" && port > 0;
	});

/** A VNC or SPICE screen on a port that libvirt chooses, reachable from this host only; other kinds are dropped. */
export const keepGraphics = (screen: Element): Kept => {
	const { type } = screen.attributes;
	if (type === "egl-headless")
		return keepShape(screen, shape("type", { gl: shape("") }), "graphics");
	if (type !== "vnc" && type !== "spice") return dropped(describe(screen));
	const attributes = Object.fromEntries(
		Object.entries(screen.attributes).filter(([name]) => !REMADE.includes(name)),
	);
	const children = screen.children.filter((child) => child.name !== "listen");
	const slim = keepShape({ ...screen, attributes, children }, SCREEN, `${type} screen`);
	const ports = fixedPorts(screen);
	return {
		...slim,
		elements: slim.elements.map((one) => ({
			...one,
			attributes: { type, autoport: "yes", ...one.attributes },
			children: [...listensOf(screen), ...one.children],
		})),
		changed: [
			...(ports.length > 0 ? [`${type} screen: a port of its own instead of a fixed one`] : []),
			...slim.changed,
		],
	};
};
