// VMs and overlays that the hypervisor's contract is tried on.
import type { Vm, VmDisk } from "@knib/core";
import type { ExecutionContext, TestFn } from "ava";
import type { HypervisorHarness } from "./hypervisor-harness.ts";
import { MIB, overlayOn } from "./image-harness.ts";

export type HypervisorTest = TestFn<{ harness: HypervisorHarness }>;
type T = ExecutionContext<{ harness: HypervisorHarness }>;
export type State = "off" | "running" | "paused";

/** Bytes of each disk. */
export const SIZE = 8 * MIB;
export const STATES: readonly State[] = ["off", "running", "paused"];
/** Where a paused VM is no other than a running one. */
export const ON_AND_OFF: readonly State[] = ["off", "running"];

type Disk = { target: string; path: string; format: "qcow2" | "raw" };

/** A VM with a qcow2 disk vda and a raw disk vdb, both with 1 in their first MiB, in some state. */
export const aVm = async (t: T, state: State = "off", name = "one") => {
	const { harness } = t.context;
	const { hypervisor } = harness;
	const disks: Disk[] = [
		{
			target: "vda",
			path: await harness.image(`${name}-a.qcow2`, { format: "qcow2", size: SIZE }),
			format: "qcow2",
		},
		{
			target: "vdb",
			path: await harness.image(`${name}-b.raw`, { format: "raw", size: SIZE }),
			format: "raw",
		},
	];
	for (const disk of disks) await harness.fill(disk, { start: 0, length: MIB, value: 1 });
	await hypervisor.define(harness.definition({ name, disks }));
	const uuid = (await hypervisor.vm(name))?.uuid ?? "";
	if (state !== "off") await hypervisor.start(uuid);
	if (state === "paused") await hypervisor.suspend(uuid);
	const [vda, vdb] = disks;
	if (vda === undefined || vdb === undefined) throw new Error("two disks were made");
	return { uuid, vda, vdb };
};

/** The VM, which must be there. */
export const picture = async (t: T, uuid: string): Promise<Vm> => {
	const vm = await t.context.harness.hypervisor.vm(uuid);
	if (vm === undefined) throw new Error(`the VM ${uuid} is gone`);
	return vm;
};

/** One disk of the VM. */
export const diskOf = async (t: T, uuid: string, target: string): Promise<VmDisk | undefined> =>
	(await picture(t, uuid)).disks.find((disk) => disk.target === target);

/** Paths of a disk's chain as the headers say it, top first. */
export const chainOf = async (t: T, uuid: string, target: string): Promise<readonly string[]> => {
	const disk = await diskOf(t, uuid, target);
	const chain = await t.context.harness.images.chain(disk?.path ?? "", disk?.format ?? "");
	return chain.map((image) => image.path);
};

/** The state as the port says it. */
export const stateWord = { off: "shut off", running: "running", paused: "paused" } as const;

/** Two overlays on vda, the VM switched to each: base ← o1 (2) ← o2 (3 at 2 MiB). */
export const twoOverlays = async (t: T, state: State) => {
	const { harness } = t.context;
	const made = await aVm(t);
	const { uuid, vda } = made;
	const switchTo = (path: string) =>
		harness.hypervisor.switchToOverlays(uuid, [{ target: "vda", path }]);
	const o1 = await overlayOn(harness, "o1.qcow2", vda);
	await switchTo(o1.path);
	await harness.fill(o1, { start: 0, length: MIB, value: 2 });
	const o2 = await overlayOn(harness, "o2.qcow2", o1);
	await switchTo(o2.path);
	await harness.fill(o2, { start: 2 * MIB, length: MIB, value: 3 });
	if (state !== "off") await harness.hypervisor.start(uuid);
	if (state === "paused") await harness.hypervisor.suspend(uuid);
	return { ...made, o1, o2 };
};
