import {
	changeVmPolicy,
	KnibError,
	type Offering,
	type RestorePromise,
	renewPromise,
	type Vm,
	type VmPolicy,
} from "@knib/core";
import type { SeenVm, VmBody } from "./bodies.ts";
import type { Change } from "./change.ts";
import type { Documents } from "./documents.ts";
import type { OfferingBook } from "./offering-book.ts";

type Deps = {
	readonly vms: Documents<VmBody>;
	readonly offerings: Pick<OfferingBook, "byId" | "default" | "findLiving">;
};
type VmRef = { readonly uuid: string; readonly name: string };

/** What the catalog keeps of a VM, as `vm show` prints it. */
export type VmRecord = {
	readonly policy: VmPolicy;
	readonly notes: readonly string[];
	/** How fast it came back in its last validations; absent until measured. */
	readonly promise?: RestorePromise | undefined;
};

/** Assignments of VMs to offerings, and what was set for single VMs. */
export const createVmBook = ({ vms, offerings }: Deps) => {
	const bodyOf = async (uuid: string): Promise<VmBody> =>
		(await vms.get(uuid)) ?? { id: uuid, policy: {}, notes: [] };

	const offeringOf = async (uuid: string): Promise<Offering> => {
		const { offering } = await bodyOf(uuid);
		const assigned = offering === undefined ? undefined : await offerings.byId(offering);
		return assigned ?? (await offerings.default());
	};

	return {
		offeringOf,
		record: (uuid: string): Promise<VmRecord> => bodyOf(uuid),
		/** Uuids of the VMs of which something is noted. */
		noted: async (): Promise<readonly string[]> =>
			(await vms.all()).filter((body) => body.notes.length > 0).map((body) => body.id),
		/** VMs as this host last saw them, and when; absent are those that were never told to peers. */
		seen: async (): Promise<readonly { seen: SeenVm; at: string | null }[]> =>
			(await vms.all()).flatMap(({ seen, seenAt }) =>
				seen === undefined ? [] : [{ seen, at: seenAt ?? null }],
			),
		excludedDisks: async (uuid: string): Promise<readonly string[]> =>
			(await bodyOf(uuid)).policy.excludeDisks ?? [],
		promise: async (uuid: string, measured: Partial<RestorePromise>): Promise<void> => {
			const body = await bodyOf(uuid);
			const promise = renewPromise(body.promise ?? null, measured);
			if (promise !== null) await vms.put({ ...body, promise });
		},
		note: async (uuid: string, notes: readonly string[]): Promise<void> => {
			const body = await bodyOf(uuid);
			if (JSON.stringify(body.notes) === JSON.stringify(notes)) return;
			await vms.put({ ...body, notes: [...notes] });
		},
		/** Refused with VM_STATE while the VM has a memory snapshot (SPEC 1). */
		assign: async (vm: Vm, offeringText: string): Promise<Change<VmRef & { offering: string }>> => {
			const offering = await offerings.findLiving(offeringText);
			const memory = vm.snapshots.filter((snapshot) => snapshot.memory);
			if (memory.length > 0) {
				const names = memory.map((snapshot) => snapshot.name).join(", ");
				throw new KnibError(
					"VM_STATE",
					`cannot assign ${vm.name}: it has the memory snapshot ${names}`,
					{
						details: {
							hint: "delete the snapshot with `virsh snapshot-delete`, or keep the VM as it is",
						},
					},
				);
			}
			const before = await offeringOf(vm.uuid);
			return {
				type: "VmAssign",
				explain: [
					`assigns ${vm.name} to ${offering.name} (now ${before.name})`,
					"its open chain goes on; the new offering counts from the next backup",
				],
				apply: async () => {
					await vms.put({ ...(await bodyOf(vm.uuid)), offering: offering.id });
					return { uuid: vm.uuid, name: vm.name, offering: offering.name };
				},
			};
		},
		/** The change leaves the VM under the default offering; its chain is finished by a job of its own. */
		unassign: async (vm: VmRef): Promise<Change<VmRef>> => {
			const body = await bodyOf(vm.uuid);
			const assigned =
				body.offering === undefined ? undefined : await offerings.byId(body.offering);
			if (assigned === undefined) {
				throw new KnibError("REFUSED", `${vm.name} is not assigned to an offering`);
			}
			const { offering: _, ...rest } = body;
			return {
				type: "VmUnassign",
				explain: [
					`takes ${vm.name} out of ${assigned.name}`,
					"finishes its open chain and keeps its backups",
				],
				apply: async () => {
					await vms.put(rest);
					return { uuid: vm.uuid, name: vm.name };
				},
			};
		},
		set: async (
			vm: VmRef,
			values: Readonly<Record<string, string>>,
		): Promise<Change<VmRef & { policy: VmPolicy }>> => {
			const policy = changeVmPolicy((await bodyOf(vm.uuid)).policy, values);
			return {
				type: "VmSet",
				explain: Object.entries(values).map(([key, value]) =>
					value === ""
						? `takes ${key} of ${vm.name} away`
						: `sets ${key} of ${vm.name} to ${value}`,
				),
				apply: async () => {
					await vms.put({ ...(await bodyOf(vm.uuid)), policy });
					return { uuid: vm.uuid, name: vm.name, policy };
				},
			};
		},
	};
};
export type VmBook = ReturnType<typeof createVmBook>;
