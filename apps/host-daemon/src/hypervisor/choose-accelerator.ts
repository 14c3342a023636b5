// Which accelerator and CPU a throw-away VM gets on this host, or why it cannot run here. Pure.
import type { HostFit } from "@knib/core";
import { childOf, type Element, parseDefinition } from "./definition-tree.ts";
import type { DomainCapabilities } from "./host-capabilities.ts";
import { archOf } from "./validation-definition.ts";

/** What a saved definition asks of a host. */
export type WantedHost = {
	readonly type: string;
	readonly arch: string;
	readonly machine: string | undefined;
	/** `custom`, `host-passthrough`, …; undefined where the definition leaves the CPU to qemu. */
	readonly cpuMode: string | undefined;
	readonly cpuModel: string | undefined;
};

/** Reads what a saved definition asks of a host. Throws VERIFY_FAILED. */
export const wantedHost = (xml: string): WantedHost => {
	const domain = parseDefinition(xml);
	const cpu: Element | undefined = childOf(domain, "cpu");
	const model = childOf(cpu, "model")?.text.trim();
	return {
		type: domain.attributes["type"] ?? "",
		arch: archOf(domain),
		machine: childOf(childOf(domain, "os"), "type")?.attributes["machine"],
		cpuMode: cpu?.attributes["mode"] ?? (model === undefined ? undefined : "custom"),
		cpuModel: model,
	};
};

/** A way to run the VM here. */
export type Acceleration = { readonly type: "kvm" | "qemu"; readonly cpu: "maximum" | null };

/** Why a host with these capabilities cannot give the VM its CPU; undefined when it can. */
const cpuObstacle = (wanted: WantedHost, host: DomainCapabilities): string | undefined => {
	const { cpuModel } = wanted;
	if (wanted.cpuMode !== "custom" || cpuModel === undefined) return undefined;
	if (host.cpuModels.get(cpuModel) !== false) return undefined;
	return `its CPU model ${cpuModel} cannot be run on this host`;
};

/** Whether a host with these capabilities can have the VM as it is saved; without any it cannot. */
export const fitOf = (wanted: WantedHost, host: DomainCapabilities | undefined): HostFit => {
	const { type, arch, machine } = wanted;
	if (host !== undefined) {
		return { cannotDefine: null, cannotStart: cpuObstacle(wanted, host) ?? null };
	}
	const what = machine === undefined ? arch : `machine type ${machine} of ${arch}`;
	return {
		cannotDefine: `its emulator does not offer ${what}${type === "kvm" ? " with KVM" : ""}`,
		cannotStart: null,
	};
};

type Way = { readonly way: Acceleration } | { readonly problem: string };

const byKvm = (wanted: WantedHost, host: DomainCapabilities): Way => {
	const problem = cpuObstacle(wanted, host);
	return problem === undefined ? { way: { type: "kvm", cpu: null } } : { problem };
};

const byEmulation = (wanted: WantedHost, host: DomainCapabilities | undefined): Way => {
	if (host === undefined) {
		return {
			problem: `this host has no emulator for ${wanted.arch} ${wanted.machine ?? ""}`.trim(),
		};
	}
	const problem = cpuObstacle(wanted, host);
	if (problem !== undefined) return { problem };
	const named = wanted.cpuMode === undefined || wanted.cpuMode === "custom";
	return { way: { type: "qemu", cpu: named ? null : "maximum" } };
};

/** Ways to run the VM on this host, the best first; none with the reason in words. KVM where the VM had it; emulation where it had that, where there is no KVM, and where KVM turns out to refuse the VM. A CPU that KVM lacks is not emulated. */
export const chooseAcceleration = (
	wanted: WantedHost,
	kvm: DomainCapabilities | undefined,
	emulated: DomainCapabilities | undefined,
): { readonly ways: readonly Acceleration[]; readonly problem: string | null } => {
	const emulation = byEmulation(wanted, emulated);
	const found = wanted.type === "kvm" && kvm !== undefined ? byKvm(wanted, kvm) : emulation;
	if ("problem" in found) return { ways: [], problem: found.problem };
	const more = found !== emulation && "way" in emulation ? [emulation.way] : [];
	return { ways: [found.way, ...more], problem: null };
};
