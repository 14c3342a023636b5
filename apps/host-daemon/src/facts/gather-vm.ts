// Reads what planners need to know of a VM: its definition, its disks' images, and the identity of the files.
import {
	asKnibError,
	type DiskFacts,
	type DiskImages,
	type FileFacts,
	type Hypervisor,
	type ImageInfo,
	KnibError,
	type Vm,
	type VmDisk,
	whySkipped,
} from "@knib/core";

/** The VM of a name or uuid. Rejects with VM_NOT_FOUND. */
export const requireVm = async (hypervisor: Hypervisor, idOrName: string): Promise<Vm> => {
	const vm = await hypervisor.vm(idOrName);
	if (vm === undefined) {
		throw new KnibError("VM_NOT_FOUND", `there is no VM ${idOrName} on this host`);
	}
	return vm;
};

/** Uuid and name of a VM, without looking at the rest of it. Rejects with VM_NOT_FOUND. */
export const requireListed = async (
	hypervisor: Hypervisor,
	idOrName: string,
): Promise<{ readonly uuid: string; readonly name: string }> => {
	const all = await hypervisor.list();
	const found =
		all.find((vm) => vm.uuid === idOrName.toLowerCase()) ?? all.find((vm) => vm.name === idOrName);
	if (found !== undefined) return found;
	throw new KnibError("VM_NOT_FOUND", `there is no VM ${idOrName} on this host`);
};

/** Identity of the images of a chain and of their external data files, in the order of the chain. */
export const factsOf = async (
	images: DiskImages,
	chain: readonly ImageInfo[],
): Promise<readonly FileFacts[]> => {
	const paths = chain.flatMap((image) =>
		image.dataFile === undefined ? [image.path] : [image.path, image.dataFile],
	);
	return Promise.all(paths.map((path) => images.facts(path)));
};

const NOTHING: Pick<DiskFacts, "images" | "below" | "top"> = { images: [], below: [], top: null };

/** One disk with its images; what cannot be read becomes its `problem`. */
export const gatherDisk = async (images: DiskImages, disk: VmDisk): Promise<DiskFacts> => {
	if (whySkipped(disk) !== undefined || disk.path === undefined) {
		return { disk, ...NOTHING, problem: null };
	}
	if (disk.format !== "qcow2" && disk.format !== "raw") return { disk, ...NOTHING, problem: null };
	try {
		const chain = await images.chain(disk.path, disk.format);
		const [top, ...below] = await factsOf(images, chain);
		return { disk, images: chain, top: top ?? null, below, problem: null };
	} catch (thrown) {
		return { disk, ...NOTHING, problem: asKnibError(thrown).message };
	}
};

/** All disks of a VM. */
export const gatherDisks = (images: DiskImages, vm: Vm): Promise<readonly DiskFacts[]> =>
	Promise.all(vm.disks.map((disk) => gatherDisk(images, disk)));
