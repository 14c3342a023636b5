import test from "ava";
import {
	childOf,
	childrenOf,
	type Element,
	parseDefinition,
} from "../../../apps/host-daemon/src/hypervisor/definition-tree.ts";
import { newDefinition } from "../../../apps/host-daemon/src/hypervisor/new-definition.ts";
import { fixture, newInput, withPart } from "../../support/builders/definition.ts";

const made = newDefinition(newInput());
const domain = parseDefinition(made.xml);
const devices = childOf(domain, "devices");

const texts = (element: Element): readonly string[] => [
	...Object.values(element.attributes),
	element.text.trim(),
	...element.children.flatMap(texts),
];

const isPath = (text: string): boolean => text.includes("/") && !text.startsWith("http");

test("newDefinition › keeps no host path of the source but its firmware's", (t) => {
	const firmware = "/usr/share/OVMF/OVMF_CODE_4M.fd";
	const prose = ["/s3cr3t", "opt/com.example/name"];
	const source = texts(parseDefinition(fixture("everything"))).filter(isPath);
	t.true(source.length > 25);
	for (const path of source) {
		if (path !== firmware && !prose.includes(path)) t.false(made.xml.includes(path), path);
	}
	const left = texts(domain).filter((text) => isPath(text) && !text.startsWith("/new/"));
	t.deepEqual(left.sort(), [...prose, firmware, "/dev/urandom"].sort());
});

test("newDefinition › gives the VM its own name, uuid and generation id, in the SMBIOS tables too", (t) => {
	t.is(childOf(domain, "name")?.text, "copy of <it> & more");
	t.is(childOf(domain, "uuid")?.text, "0196f000-0000-7000-8000-0000000000aa");
	t.is(childOf(domain, "genid")?.text, "0196f000-0000-7000-8000-0000000000ab");
	t.false(made.xml.includes("7a0d9c4e-1a51-4a4e-8d0b-3f0b8d7a5e11"));
	t.false(made.xml.includes("8f2a9a51-51a5-4c9b-9a77-0d8a6e2a4b11"));
	const [smbios] = childrenOf(domain, "sysinfo");
	const entries = childrenOf(childOf(smbios, "system"), "entry");
	const uuid = entries.find((entry) => entry.attributes["name"] === "uuid");
	t.is(uuid?.text, "0196f000-0000-7000-8000-0000000000aa");
});

test("newDefinition › keeps what makes the guest's machine", (t) => {
	const source = parseDefinition(fixture("everything"));
	for (const name of [
		"memory",
		"maxMemory",
		"cpu",
		"features",
		"clock",
		"on_crash",
		"iothreads",
		"pm",
	]) {
		t.deepEqual(childOf(domain, name), childOf(source, name), name);
	}
	t.is(childOf(domain, "description")?.text, "orders, <main> database");
	t.is(childOf(childOf(domain, "os"), "type")?.attributes["machine"], "pc-q35-7.2");
	const kept = ["controller", "memballoon", "watchdog", "panic", "sound", "video"];
	const sourceDevices = childOf(source, "devices");
	for (const name of kept) {
		t.deepEqual(childrenOf(devices, name), childrenOf(sourceDevices, name), name);
	}
});

test("newDefinition › lists what the new VM has not", (t) => {
	const gone = [
		"disk vdc (shareable",
		"disk vdd (network",
		"interface (direct",
		"interface (ethernet",
		"filesystem (",
		"channel (unix connect /run/monitoring.sock",
		"input (passthrough",
		"hostdev (",
		"redirdev (",
		"smartcard (",
		"shmem (",
		"vsock (",
		"security label: seclabel (static",
		"qemu:commandline (",
		"qemu:override (",
		"numatune (",
		"firmware configuration: entry (opt/com.example/ignition",
	];
	for (const text of gone) t.is(made.dropped.filter((one) => one.startsWith(text)).length, 1, text);
	t.is(made.dropped.length, gone.length);
	for (const name of ["filesystem", "hostdev", "redirdev", "smartcard", "shmem", "vsock"]) {
		t.is(childOf(devices, name), undefined);
	}
	t.false(made.xml.includes("qemu:"));
});

test("newDefinition › drops pinning, cgroups and other programs' notes, keeps weights and knib's tags", (t) => {
	t.is(childOf(domain, "vcpu")?.attributes["cpuset"], undefined);
	t.is(childOf(domain, "vcpu")?.attributes["current"], "1");
	t.deepEqual(
		childOf(domain, "cputune")?.children.map((one) => one.name),
		["shares"],
	);
	t.deepEqual(
		childOf(domain, "blkiotune")?.children.map((one) => one.name),
		["weight"],
	);
	t.is(childOf(domain, "resource"), undefined);
	const notes = childOf(domain, "metadata")?.children.map((one) => one.name);
	t.deepEqual(notes, ["libosinfo:libosinfo", "knib:tag"]);
});

test("newDefinition › names its copy of the firmware's variables, without the template", (t) => {
	const nvram = childOf(childOf(domain, "os"), "nvram");
	t.is(nvram?.text, "/new/copy_VARS.fd");
	t.deepEqual(nvram?.attributes, {});
	t.is(made.firmware, "/usr/share/OVMF/OVMF_CODE_4M.fd");
	t.is(childOf(childOf(domain, "os"), "loader")?.attributes["readonly"], "yes");
});

test("newDefinition › names the copy where libvirt chose the firmware, and had named none", (t) => {
	const disks = [{ target: "vda", path: "/new/vda.qcow2" }];
	const auto = newDefinition(newInput({ xml: fixture("firmware-auto"), disks }));
	const os = childOf(parseDefinition(auto.xml), "os");
	t.is(os?.attributes["firmware"], "efi");
	t.is(childOf(os, "nvram")?.text, "/new/copy_VARS.fd");
	t.is(auto.firmware, null);
});

test("newDefinition › leaves new variables to libvirt when the backup holds none, and says so", (t) => {
	const fresh = newDefinition(newInput({ nvram: null, tpmState: false }));
	const nvram = childOf(childOf(parseDefinition(fresh.xml), "os"), "nvram");
	t.is(nvram?.text, "");
	t.is(nvram?.attributes["template"], "/usr/share/OVMF/OVMF_VARS_4M.fd");
	t.is(fresh.dropped.length, made.dropped.length + 2);
});

test("newDefinition › changes nothing in words for a plain VM but its console", (t) => {
	const disks = ["vda", "vdb"].map((target) => ({ target, path: `/new/${target}.qcow2` }));
	const plain = newDefinition(newInput({ xml: fixture("plain"), disks, nvram: null }));
	t.deepEqual(plain.dropped, []);
	t.deepEqual(plain.changed, [
		"serial: on a pty instead of file source (/srv/lab/web01.ser)",
		"console: on a pty instead of file source (/srv/lab/web01.ser)",
	]);
});

test("newDefinition › boots from disks only: kernels and tables of the host stay outside", (t) => {
	const os =
		"<kernel>/boot/vmlinuz</kernel><initrd>/etc/shadow</initrd><acpi><table type='slic'>/srv/slic</table></acpi>";
	const { xml, dropped } = withPart(`<os><type arch='x86_64'>hvm</type>${os}</os>`);
	t.false(/vmlinuz|shadow|slic/.test(xml));
	t.is(dropped.length, 3);
});

for (const loader of ["/etc/shadow", "/usr/share/../../etc/shadow", "/srv/vm/OVMF.fd"]) {
	test(`newDefinition › takes no firmware from ${loader}`, (t) => {
		const { xml, dropped, firmware } = withPart(
			`<os><type>hvm</type><loader readonly='no' type='pflash'>${loader}</loader></os>`,
		);
		t.false(xml.includes(loader));
		t.is(firmware, null);
		t.is(dropped.length, 1);
	});
}

test("newDefinition › never lets a guest write the host's firmware", (t) => {
	const os = "<os><loader readonly='no' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader></os>";
	t.regex(withPart(os).xml, /<loader readonly='yes' type='pflash'>/);
});

test("newDefinition › drops what it does not know, and second copies of what it knows", (t) => {
	const { xml, dropped } = withPart(
		"<memory>1</memory><memory>2</memory><bootloader>/bin/x</bootloader><launchSecurity type='sev'/>",
	);
	t.deepEqual(dropped, ["a second memory", "bootloader (/bin/x)", "launchSecurity (sev)"]);
	t.false(xml.includes("/bin/x"));
});
