import { readFileSync } from "node:fs";
import test from "ava";
import {
	chooseAcceleration,
	wantedHost,
} from "../../../apps/host-daemon/src/hypervisor/choose-accelerator.ts";
import {
	type DomainCapabilities,
	parseCapabilities,
	parseDomainCapabilities,
} from "../../../apps/host-daemon/src/hypervisor/host-capabilities.ts";

const recorded = (name: string): string =>
	readFileSync(new URL(`../../fixtures/virsh/${name}`, import.meta.url), "utf8");

test("parseCapabilities › finds the user that qemu runs as by libvirt's defaults", (t) => {
	const found = parseCapabilities(recorded("capabilities-libvirt-9.0.xml"));
	t.deepEqual(found.qemuUser, { uid: 64055, gid: 64055 });
	t.true(found.securityModels.includes("dac"));
});

test("parseCapabilities › says when libvirt changes no user", (t) => {
	t.is(parseCapabilities("<capabilities><host/></capabilities>").qemuUser, null);
});

test("parseDomainCapabilities › reads which CPUs and screens an emulator has", (t) => {
	const found = parseDomainCapabilities(recorded("domcapabilities-tcg-libvirt-9.0.xml"));
	t.true(found.cpuModels.get("qemu64"));
	t.false(found.cpuModels.get("phenom"));
	t.true(found.videoModels?.includes("vga"));
	t.true(found.cpuModes.includes("maximum"));
});

const host = (models: Readonly<Record<string, boolean>>): DomainCapabilities => ({
	cpuModels: new Map(Object.entries(models)),
	cpuModes: ["custom"],
	videoModels: null,
});
const wanted = (cpu: string, type = "kvm") =>
	wantedHost(
		`<domain type='${type}'><os><type arch='x86_64' machine='pc'>hvm</type></os>${cpu}</domain>`,
	);
const named = "<cpu mode='custom'><model>EPYC</model></cpu>";
const passthrough = "<cpu mode='host-passthrough'/>";
const ways = (...args: Parameters<typeof chooseAcceleration>) => chooseAcceleration(...args).ways;

test("chooseAcceleration › takes KVM for a VM that had it, with emulation to fall back on", (t) => {
	const able = host({ EPYC: true });
	t.deepEqual(ways(wanted(named), able, able), [
		{ type: "kvm", cpu: null },
		{ type: "qemu", cpu: null },
	]);
});

test("chooseAcceleration › emulates where there is no KVM, with a CPU of its own for one of the host", (t) => {
	t.deepEqual(ways(wanted(passthrough), undefined, host({})), [{ type: "qemu", cpu: "maximum" }]);
	t.deepEqual(ways(wanted(named, "qemu"), undefined, host({ EPYC: true })), [
		{ type: "qemu", cpu: null },
	]);
});

test("chooseAcceleration › says which CPU model the host lacks", (t) => {
	const lacking = host({ EPYC: false });
	const { ways: none, problem } = chooseAcceleration(wanted(named), lacking, host({ EPYC: true }));
	t.deepEqual(none, []);
	t.regex(problem ?? "", /EPYC cannot be run on this host/);
	t.regex(chooseAcceleration(wanted(named), undefined, lacking).problem ?? "", /EPYC/);
});

test("chooseAcceleration › says when there is no emulator at all", (t) => {
	const { problem } = chooseAcceleration(wanted(named), undefined, undefined);
	t.regex(problem ?? "", /no emulator for x86_64 pc/);
});
