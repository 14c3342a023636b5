// Which files the fake world's VMs name, and which they hold open.
import type { FileUse } from "@knib/core";
import {
	disksOfDomain,
	imagesOfDisk,
	targetOf,
} from "../../../apps/host-daemon/src/hypervisor/domain-images.ts";
import { elementOf, parseXml } from "../../../apps/host-daemon/src/hypervisor/xml-document.ts";
import { backingOf, type FakeVm, type FakeWorld, identityOf } from "./fake-world.ts";

const below = (world: FakeWorld, path: string): readonly string[] => {
	const image = world.images.get(path);
	const next = image === undefined || image.format === "raw" ? null : backingOf(path, image);
	return next === null ? [] : [next, ...below(world, next)];
};

const usesOfDefinition = (
	world: FakeWorld,
	vm: FakeVm,
	xml: string | undefined,
	where: FileUse["where"],
): readonly FileUse[] => {
	if (xml === undefined) return [];
	return disksOfDomain(parseXml(xml, "domain")).flatMap((disk) => {
		const readonly = elementOf(disk, "readonly") !== undefined;
		const target = targetOf(disk);
		return imagesOfDisk(disk).flatMap(({ role, source }): readonly FileUse[] => {
			if (!("path" in source)) return [];
			const top: FileUse = {
				path: source.path,
				file: identityOf(world, source.path),
				vm: vm.uuid,
				target,
				where: role === "below" ? "backing" : where,
				writable: role !== "below" && !readonly,
			};
			const under = below(world, source.path).map(
				(path): FileUse => ({
					path,
					file: identityOf(world, path),
					vm: vm.uuid,
					target,
					where: "backing",
					writable: false,
				}),
			);
			return [top, ...under];
		});
	});
};

const usesOfVm = (world: FakeWorld, vm: FakeVm): readonly FileUse[] => [
	...usesOfDefinition(world, vm, vm.inactive, "inactive"),
	...usesOfDefinition(world, vm, vm.live, "live"),
	...usesOfDefinition(world, vm, vm.saved, "managed save"),
	...vm.snapshots.flatMap((snapshot) =>
		snapshot.files.map(
			(path): FileUse => ({
				path,
				file: identityOf(world, path),
				vm: vm.uuid,
				where: "snapshot",
				writable: !snapshot.frozen.includes(path),
			}),
		),
	),
];

/** Every file that a VM of the world names, each use once. */
export const fakeFileUses = (world: FakeWorld): readonly FileUse[] => {
	const uses = new Map<string, FileUse>();
	for (const vm of world.vms.values()) {
		for (const use of usesOfVm(world, vm)) uses.set(JSON.stringify(use), use);
	}
	return [...uses.values()];
};

/** VMs that hold a file open now: those that run on it. */
export const usersOf = (world: FakeWorld, path: string): readonly FakeVm[] =>
	[...world.vms.values()].filter((vm) =>
		usesOfDefinition(world, vm, vm.live, "live").some((use) => use.path === path),
	);
