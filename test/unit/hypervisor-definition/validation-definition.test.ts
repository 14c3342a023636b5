import test from "ava";
import {
	childOf,
	childrenOf,
	parseDefinition,
} from "../../../apps/host-daemon/src/hypervisor/definition-tree.ts";
import {
	type ValidationDefinitionInput,
	validationDefinition,
} from "../../../apps/host-daemon/src/hypervisor/validation-definition.ts";
import { isOwnValidationVm } from "../../../apps/host-daemon/src/jobs/sweep-validations.ts";
import { aDomain, fixture } from "../../support/builders/definition.ts";
import { aLayer } from "../../support/builders/manifest.ts";

const layersOf = (target: string): ValidationDefinitionInput["disks"][number]["layers"] =>
	["new", "old"].map((name) => ({
		target,
		path: `/repo/${name}/${target}.qcow2`,
		layer: aLayer({ target }),
		backup: name,
	}));

const input = (override: Partial<ValidationDefinitionInput> = {}): ValidationDefinitionInput => ({
	xml: fixture("everything"),
	live: null,
	name: "knib-validate-0196f000-0000-7000-8000-0000000000aa",
	uuid: "0196f000-0000-7000-8000-0000000000aa",
	genid: "0196f000-0000-7000-8000-0000000000ab",
	host: "host id",
	disks: ["vda", "vdb", "sda"].map((target) => ({
		target,
		overlay: `/scratch/v/${target}.qcow2`,
		layers: layersOf(target),
	})),
	nvram: "/scratch/v/nvram.fd",
	tpmState: true,
	memoryLimit: 0,
	type: "kvm",
	cpu: null,
	videoModels: ["vga", "virtio"],
	securityModels: ["none", "dac"],
	...override,
});

const made = (override: Partial<ValidationDefinitionInput> = {}) => {
	const { xml, ...rest } = validationDefinition(input(override));
	const domain = parseDefinition(xml);
	return { xml, domain, devices: childOf(domain, "devices"), ...rest };
};

test("validationDefinition › keeps no network, no host device, no screen that listens, and says what it dropped", (t) => {
	const { xml, dropped } = made();
	for (const name of [
		"interface",
		"graphics",
		"hostdev",
		"filesystem",
		"redirdev",
		"shmem",
		"vsock",
		"sound",
		"qemu:commandline",
		"memoryBacking",
	]) {
		t.notRegex(xml, new RegExp(`<${name}\\b`), name);
	}
	t.true(dropped.some((one) => one.startsWith("interface")));
});

test("validationDefinition › names no path of the source's", (t) => {
	const paths = [...made().xml.matchAll(/(?:='|>)(\/[^'<]*)/g)].map(([, path]) => path ?? "");
	const own = /^\/(?:scratch\/v|repo|dev\/urandom|usr\/share|usr\/lib)/;
	t.deepEqual(
		paths.filter((path) => !own.test(path)),
		[],
	);
});

test("validationDefinition › names each layer of a disk's chain and lets nobody label it", (t) => {
	const { devices } = made();
	const [disk] = childrenOf(devices, "disk");
	const first = childOf(disk, "backingStore");
	const second = childOf(first, "backingStore");
	const last = childOf(second, "backingStore");
	t.is(childOf(disk, "source")?.attributes["file"], "/scratch/v/vda.qcow2");
	for (const [layer, path] of [
		[first, "/repo/new/vda.qcow2"],
		[second, "/repo/old/vda.qcow2"],
	] as const) {
		const source = childOf(layer, "source");
		t.is(source?.attributes["file"], path);
		t.is(childOf(layer, "format")?.attributes["type"], "qcow2");
		t.deepEqual(childOf(source, "seclabel")?.attributes, { model: "dac", relabel: "no" });
	}
	t.is(last?.children.length, 0);
	t.is(childOf(last, "source"), undefined);
});

test("validationDefinition › labels are left alone under SELinux too", (t) => {
	const { xml } = made({ securityModels: ["selinux", "dac"] });
	t.regex(xml, /<seclabel model='selinux' relabel='no'\/>/);
});

test("validationDefinition › caps the memory and takes everything that would need more away", (t) => {
	const { memory, domain, xml } = made({ memoryLimit: 64 * 1024 * 1024 });
	t.is(memory, 64 * 1024 * 1024);
	t.is(childOf(domain, "memory")?.text, "65536");
	t.is(childOf(domain, "currentMemory")?.text ?? "65536", "65536");
	t.notRegex(xml, /<maxMemory|<numa>|<memory model/);
});

test("validationDefinition › a VM without a screen gets one, an unknown one is replaced", (t) => {
	const model = (devices: string) =>
		childOf(childOf(made({ xml: aDomain(devices), disks: [] }).devices, "video"), "model")
			?.attributes["type"];
	t.is(model(""), "vga");
	t.is(model("<video><model type='qxl'/></video>"), "vga");
	t.is(model("<video><model type='none'/></video>"), "vga");
	t.is(model("<video><model type='virtio'/></video>"), "virtio");
});

test("validationDefinition › without KVM has nothing that only KVM has", (t) => {
	const parts = `<features><acpi/><hyperv><relaxed state='on'/></hyperv></features><cpu mode='host-passthrough'/><clock offset='utc'><timer name='kvmclock' present='yes'/><timer name='rtc'/></clock>`;
	const { xml, domain } = made({
		xml: aDomain("", parts),
		disks: [],
		type: "qemu",
		cpu: "maximum",
	});
	t.is(domain.attributes["type"], "qemu");
	t.notRegex(xml, /hyperv|kvmclock|host-passthrough/);
	t.regex(xml, /<cpu mode='maximum'\/>/);
	t.regex(xml, /<acpi\/>/);
});

test("validationDefinition › keeps the agent's channel only, on a socket that libvirt chooses", (t) => {
	const channels = `<channel type='unix'><source mode='bind' path='/run/a.sock'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel><channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>`;
	const { devices, xml } = made({ xml: aDomain(channels), disks: [] });
	t.is(childrenOf(devices, "channel").length, 1);
	t.notRegex(xml, /a\.sock|spice/);
});

test("validationDefinition › is known by its host's daemon, and by no other", (t) => {
	const { xml } = made();
	t.true(isOwnValidationVm(xml, "host id"));
	t.false(isOwnValidationVm(xml, "another"));
	t.false(isOwnValidationVm(aDomain(""), "host id"));
});
