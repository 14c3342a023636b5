import type { Hypervisor } from "@knib/core";
import type { ImageHarness } from "./image-harness.ts";

export type HarnessDisk = {
	readonly target: string;
	readonly path: string;
	readonly format: string;
};

/** What the contract of the hypervisor needs of an implementation: images, definitions, and what other people do to a VM. */
export type HypervisorHarness = ImageHarness & {
	readonly hypervisor: Hypervisor;
	/** A definition that this hypervisor can start; it has a uuid of its own unless one is given. */
	definition(vm: {
		name: string;
		uuid?: string;
		disks: readonly HarnessDisk[];
		agent?: boolean;
	}): string;
	/** A running VM with these disks beside its own, whose agent answers and which has /bin/echo. */
	guest(disks: readonly HarnessDisk[]): Promise<string>;
	/** Saves a running VM's state in a managed-save image. */
	save(uuid: string): Promise<void>;
	/** Starts a merge of the active image and dies when it is ready to be pivoted. */
	leaveMerge(uuid: string, disk: { target: string; base: string; top: string }): Promise<void>;
	/** An operator's external disk-only snapshot with metadata onto an overlay that exists. */
	snapshot(uuid: string, target: string, path: string): Promise<void>;
};
