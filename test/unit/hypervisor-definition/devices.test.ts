import type { NetworkRef } from "@knib/core";
import test from "ava";
import {
	childOf,
	childrenOf,
	parseDefinition,
} from "../../../apps/host-daemon/src/hypervisor/definition-tree.ts";
import { newDefinition } from "../../../apps/host-daemon/src/hypervisor/new-definition.ts";
import { fixture, newInput, withDevice } from "../../support/builders/definition.ts";

const made = newDefinition(newInput());
const devices = childOf(parseDefinition(made.xml), "devices");

const interfaces = childrenOf(devices, "interface");

test("new interfaces › stay on their networks and bridges with new MAC addresses", (t) => {
	t.deepEqual(
		interfaces.map((one) => childOf(one, "mac")?.attributes["address"]),
		["52:54:00:00:00:01", "52:54:00:00:00:02"],
	);
	t.deepEqual(childOf(interfaces[0], "source")?.attributes, {
		network: "default",
		portgroup: "web",
	});
	t.deepEqual(childOf(interfaces[1], "source")?.attributes, { bridge: "br-storage" });
	t.is(childOf(interfaces[0], "driver")?.attributes["queues"], "2");
	t.is(childOf(interfaces[0], "filterref")?.attributes["filter"], "clean-traffic");
	t.deepEqual(made.networks, [
		{ kind: "network", name: "default" },
		{ kind: "bridge", name: "br-storage" },
	]);
});

test("new interfaces › have nothing that the source's may have beside them", (t) => {
	t.is(childOf(interfaces[1], "target"), undefined);
	t.false(made.xml.includes("09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"));
	t.deepEqual(childOf(interfaces[1], "rom")?.attributes, { bar: "on" });
});

test("new interfaces › keep their MAC addresses when asked to", (t) => {
	const { xml } = newDefinition(newInput({ keepMac: true }));
	t.regex(xml, /<mac address='52:54:00:aa:bb:01'\/>/);
	t.false(xml.includes("52:54:00:00:00:01"));
});

test("new interfaces › go where they are mapped, without the old network's settings", (t) => {
	const connect = ({ kind, name }: NetworkRef): NetworkRef =>
		name === "default" ? { kind: "bridge", name: "br0" } : { kind: "network", name: `${kind}-net` };
	const mapped = newDefinition(newInput({ connect }));
	const [first, second] = childrenOf(childOf(parseDefinition(mapped.xml), "devices"), "interface");
	t.is(first?.attributes["type"], "bridge");
	t.deepEqual(childOf(first, "source")?.attributes, { bridge: "br0" });
	t.deepEqual(childOf(second, "source")?.attributes, { network: "bridge-net" });
	t.is(childOf(second, "virtualport"), undefined);
	t.deepEqual(mapped.sourceNetworks, made.sourceNetworks);
	t.true(mapped.changed.includes("interface on network default: now on bridge br0"));
});

test("new consoles › are on ptys, and the agent's channel where libvirt puts it", (t) => {
	for (const name of ["serial", "console"]) {
		for (const port of childrenOf(devices, name)) t.is(port.attributes["type"], "pty");
	}
	t.is(childrenOf(devices, "serial").length, 2);
	const [agent, spice, ...more] = childrenOf(devices, "channel");
	t.is(agent?.attributes["type"], "unix");
	t.is(childOf(agent, "target")?.attributes["name"], "org.qemu.guest_agent.0");
	t.is(childOf(agent, "source"), undefined);
	t.is(spice?.attributes["type"], "spicevmc");
	t.deepEqual(more, []);
});

test("new screens › choose their port, listen on loopback, and keep their password", (t) => {
	const [vnc, spice] = childrenOf(devices, "graphics");
	t.deepEqual(vnc?.attributes, { type: "vnc", autoport: "yes", keymap: "de", passwd: "/s3cr3t" });
	t.deepEqual(childOf(vnc, "listen")?.attributes, { type: "address", address: "127.0.0.1" });
	t.deepEqual(childOf(spice, "listen")?.attributes, { type: "address", address: "127.0.0.1" });
	t.is(childOf(spice, "image")?.attributes["compression"], "off");
});

const SCREENS: readonly (readonly [string, string, RegExp | null])[] = [
	[
		"on a socket",
		"<graphics type='vnc' socket='/run/x'><listen type='socket' socket='/run/x'/></graphics>",
		/address='127\.0\.0\.1'/,
	],
	[
		"on no port",
		"<graphics type='spice'><listen type='none'/><gl enable='yes' rendernode='/dev/dri/renderD128'/></graphics>",
		/<listen type='none'\/>\s*<gl enable='yes'\/>/,
	],
	["on an IPv6 loopback", "<graphics type='vnc' listen='::1'/>", /address='::1'/],
	["on a host's desktop", "<graphics type='sdl' display=':0' xauth='/root/.Xauthority'/>", null],
	["on a bus", "<graphics type='dbus' address='unix:path=/run/x'/>", null],
];
for (const [title, screen, expected] of SCREENS) {
	test(`new screens › ${title}`, (t) => {
		const { xml, dropped } = withDevice(screen);
		t.false(/\/run\/x|rendernode|Xauthority/.test(xml));
		if (expected === null) t.is(dropped.length, 1);
		else t.regex(xml, expected);
	});
}

const GONE: readonly (readonly [string, string])[] = [
	[
		"a passed-through TPM",
		"<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
	],
	[
		"an NVDIMM",
		"<memory model='nvdimm'><source><path>/srv/nvdimm</path></source><target><size unit='MiB'>1</size></target></memory>",
	],
	[
		"a crypto device of the host",
		"<crypto model='virtio' type='qemu'><backend model='lkcf'/></crypto>",
	],
	["a persistent store", "<pstore backend='acpi-erst'><path>/srv/pstore</path></pstore>"],
	["a device that nobody knows yet", "<frobnicator path='/srv/x'/>"],
];
for (const [title, device] of GONE) {
	test(`new devices › leave out ${title}`, (t) => {
		const { xml, dropped } = withDevice(device);
		t.is(dropped.length, 1);
		t.regex(xml, /<devices\/>/);
	});
}

test("new devices › silence audio of the host and take randomness from its own source", (t) => {
	const { xml } = withDevice(
		"<audio id='1' type='oss'><input dev='/dev/dsp1'/></audio><rng model='virtio'><backend model='random'>/srv/entropy</backend></rng>",
	);
	t.false(/dsp1|entropy/.test(xml));
	t.regex(xml, /<audio id='1' type='none'\/>/);
	t.regex(xml, /<backend model='random'>\/dev\/urandom<\/backend>/);
});

test("new devices › strip paths even from devices that are kept as they are", (t) => {
	const { xml, changed } = withDevice(
		"<controller type='usb' index='0' evil='/etc/x'><sub>/etc/y</sub></controller>",
	);
	t.false(xml.includes("/etc"));
	t.is(changed.length, 1);
});

test("new devices › keep the emulated TPM and leave the emulator to libvirt", (t) => {
	t.is(childOf(childOf(devices, "tpm"), "backend")?.attributes["version"], "2.0");
	t.is(childOf(devices, "emulator"), undefined);
	t.true(fixture("everything").includes("<emulator>"));
});
