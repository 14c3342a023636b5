// As much of libvirt as restores need, in memory: VMs by definition, started and stopped, with an agent that answers or does not. Disks
// are real files, and pulling into them is qemu-img's work.
import { execFileSync } from "node:child_process";
import { type FileUse, type Hypervisor, KnibError, type Vm } from "@knib/core";
import {
	childOf,
	childrenOf,
	parseDefinition,
} from "../../apps/host-daemon/src/hypervisor/definition-tree.ts";
import { placeDisks } from "../../apps/host-daemon/src/hypervisor/place-disks.ts";
import { aDisk, aVm } from "./builders/facts.ts";

/** The VM that a definition makes. */
const vmOf = (xml: string): Vm => {
	const domain = parseDefinition(xml);
	const devices = childOf(domain, "devices");
	const disks = childrenOf(devices, "disk").flatMap((disk) => {
		const path = childOf(disk, "source")?.attributes["file"];
		const target = childOf(disk, "target")?.attributes["dev"] ?? "";
		return path === undefined ? [] : [aDisk({ target, path })];
	});
	const { run: _, ...off } = aVm({ state: "shut off" });
	return {
		...off,
		uuid: childOf(domain, "uuid")?.text ?? "",
		name: childOf(domain, "name")?.text ?? "",
		disks,
		agentChannel: childOf(devices, "channel") !== undefined,
		xml: { inactive: xml },
	};
};

/** A libvirt of one test: what it holds and how it misbehaves. */
export const memoryLibvirt = (options: {
	readonly clock: { readonly advance: (ms: number) => void };
}) => {
	const vms = new Map<string, Vm>();
	const behaviour = {
		/** Ms from the start until the agent answers; null: never. */
		agentAfter: 3000 as number | null,
		startFails: null as string | null,
	};
	const startedAfter = new Map<string, number>();
	const need = (uuid: string): Vm => {
		const vm = vms.get(uuid);
		if (vm === undefined) throw new KnibError("VM_NOT_FOUND", `there is no VM ${uuid}`);
		return vm;
	};
	const put = (vm: Vm): void => void vms.set(vm.uuid, vm);
	const uses = (): readonly FileUse[] =>
		[...vms.values()].flatMap((vm) =>
			vm.disks.map((disk) => ({
				path: disk.path ?? "",
				file: null,
				vm: vm.uuid,
				target: disk.target,
				where: vm.run === undefined ? ("inactive" as const) : ("live" as const),
				writable: true,
			})),
		);
	const hypervisor: Partial<Hypervisor> = {
		list: async () => [...vms.values()].map(({ uuid, name, state }) => ({ uuid, name, state })),
		vm: async (id) => vms.get(id) ?? [...vms.values()].find((vm) => vm.name === id),
		networks: async () => [{ name: "default", active: true }],
		fileUses: async () => uses(),
		settle: async (uuid) => void need(uuid),
		define: async (xml) => put(vmOf(xml)),
		undefine: async (uuid) => void vms.delete(need(uuid).uuid),
		start: async (uuid) => {
			if (behaviour.startFails !== null)
				throw new KnibError("COMMAND_FAILED", behaviour.startFails);
			put({ ...need(uuid), state: "running", run: "4711@1" });
			startedAfter.set(uuid, 0);
		},
		attach: async (uuid, disk) => {
			const vm = need(uuid);
			const target = /<target dev=['"](\w+)['"]/.exec(disk)?.[1] ?? "";
			const { disks, xml } = vmOf(placeDisks(vm.xml.inactive, [{ target, disk }]));
			put({ ...vm, disks, xml });
		},
		pull: async (uuid, target) => {
			const path = need(uuid).disks.find((disk) => disk.target === target)?.path ?? "";
			execFileSync("qemu-img", ["rebase", "-f", "qcow2", "-b", "", path]);
		},
		destroy: async (uuid) => {
			const { run: _, ...off } = need(uuid);
			put({ ...off, state: "shut off" });
		},
		agentSync: async (uuid, deadlineMs) => {
			const waited = startedAfter.get(uuid) ?? 0;
			const { agentAfter } = behaviour;
			const left = agentAfter === null ? Number.POSITIVE_INFINITY : agentAfter - waited;
			const took = Math.min(deadlineMs, Math.max(0, left));
			options.clock.advance(took);
			startedAfter.set(uuid, waited + took);
			return left <= deadlineMs;
		},
	};
	return { vms, behaviour, put, hypervisor };
};
