// A VM that runs below its overlay in spite of the hook: an alert within a minute, and knib touches none of its files meanwhile, since the
// base is no longer what the tracker recorded (SAFETY F4).
import type { Clock, Hypervisor, Vm } from "@knib/core";
import { createKeeper, type Keeper } from "../jobs/keeper.ts";
import type { OverlayIndex } from "./overlay-index.ts";

const LOOK_MS = 60_000;

type Options = {
	readonly hypervisor: Pick<Hypervisor, "list" | "vm">;
	readonly index: Pick<OverlayIndex, "isEmpty" | "find">;
	readonly clock: Pick<Clock, "sleep">;
	/** Raises the alert of a VM, or takes it back with null. */
	readonly alert: (vm: Pick<Vm, "uuid" | "name">, text: string | null) => Promise<void>;
	readonly onProblem: (error: unknown) => void;
};

export const createOverlayWatch = ({
	hypervisor,
	index,
	clock,
	alert,
	onProblem,
}: Options): Keeper => {
	const whyWrong = async (vm: Vm): Promise<string | null> => {
		for (const { target, path } of vm.disks) {
			const covered = path === undefined ? undefined : await index.find(path);
			if (covered === undefined) continue;
			const { base, overlay, vm: owner } = covered;
			return `${target} is ${base}, below ${overlay}: unless that was merged by hand, what VM ${owner} wrote since is missing; shut the VM down and start it on the overlay`;
		}
		return null;
	};
	const look = async (): Promise<void> => {
		if (await index.isEmpty()) return;
		for (const { uuid, state } of await hypervisor.list()) {
			const vm = state === "shut off" ? undefined : await hypervisor.vm(uuid);
			if (vm !== undefined) await alert(vm, await whyWrong(vm));
		}
	};
	return createKeeper({ clock, look, waitMs: async () => LOOK_MS, onProblem });
};
