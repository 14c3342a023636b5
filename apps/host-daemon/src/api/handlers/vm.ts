import {
	asKnibError,
	type KeptDisks,
	KnibError,
	type Outcome,
	type Vm,
	type VmInventory,
	vmAssignInputSchema,
	vmInputSchema,
	vmSetInputSchema,
} from "@knib/core";
import { carryOut } from "../../catalog/change.ts";
import { findRecords } from "../../jobs/kept-record.ts";
import type { ApiDeps } from "../context.ts";
import { isFaultOfLibvirt } from "../inventory.ts";
import { procedure } from "../trpc.ts";
import { findVm, findVmOrPast, viewVm } from "../vm-views.ts";

type Unassigned = { readonly uuid: string; readonly name: string; readonly job: string | null };

/** Disks that a restore in place has set aside, until it is undone or confirmed; none where they cannot be looked for. */
const keptOf = async (vm: Vm): Promise<readonly KeptDisks[]> => {
	const records = await findRecords(vm).catch(() => []);
	return records.map(({ record: { id, state, backup, at } }) => ({
		restore: id,
		disks: state === "kept" ? "old" : "restored",
		backup,
		at,
	}));
};

/** The VMs of this host and those of its peers. */
const inventoryOf = async (deps: ApiDeps): Promise<VmInventory> => {
	const { vms, warnings } = await deps.inventory.all();
	return { vms: [...vms, ...((await deps.peers?.views.vms()) ?? [])], warnings };
};

/** A VM that libvirt here does not show: as it was last seen here while libvirt fails, or as another host tells of it. */
const toldOf = async (deps: ApiDeps, text: string, why: KnibError) => {
	const here = isFaultOfLibvirt(why) ? await deps.inventory.known() : [];
	const told = [...here, ...((await deps.peers?.views.vms()) ?? [])];
	return told.find(({ uuid, name }) => uuid === text || name === text);
};

/** Inventory and per-VM policy. */
export const vmProcedures = {
	list: procedure.query(async ({ ctx: { deps } }) => (await inventoryOf(deps)).vms),
	/** The list with the reason why some of it is not of now. */
	inventory: procedure.query(({ ctx: { deps } }) => inventoryOf(deps)),
	show: procedure.input(vmInputSchema).query(async ({ ctx: { deps }, input }) => {
		const vm = await findVm(deps, input.vm).catch(asKnibError);
		const told = vm instanceof KnibError ? await toldOf(deps, input.vm, vm) : undefined;
		if (told !== undefined) return { ...told, policy: {}, kept: [] };
		if (vm instanceof KnibError) throw vm;
		const { policy } = await deps.books.vms.record(vm.uuid);
		return { ...(await viewVm(deps, vm)), policy, kept: await keptOf(vm) };
	}),
	assign: procedure.input(vmAssignInputSchema).mutation(async ({ ctx: { deps }, input }) => {
		const { books } = deps;
		const vm = await findVm(deps, input.vm);
		return carryOut(books.turnstile, () => books.vms.assign(vm, input.offering), input.dryRun);
	}),
	/** Answers the job that finishes the VM's chain; null when the VM is not on this host any more. */
	unassign: procedure
		.input(vmAssignInputSchema.omit({ offering: true }))
		.mutation(async ({ ctx: { deps, user }, input }): Promise<Outcome<Unassigned>> => {
			const { books } = deps;
			const vm = await findVmOrPast(deps, input.vm);
			const outcome = await carryOut(books.turnstile, () => books.vms.unassign(vm), input.dryRun);
			if (!outcome.done) return outcome;
			const here = (await deps.hypervisor.vm(vm.uuid)) !== undefined;
			const open = (await books.backups.chains(vm.uuid)).some((chain) => chain.state === "open");
			if (!here || !open) return { done: true, result: { ...outcome.result, job: null } };
			await deps.ready;
			const job = await deps.jobs.start(
				{ type: "FinishChain", vm: vm.uuid, unassigned: true },
				user,
			);
			return { done: true, result: { ...outcome.result, job: job.id } };
		}),
	set: procedure.input(vmSetInputSchema).mutation(async ({ ctx: { deps }, input }) => {
		const { books } = deps;
		const vm = await findVm(deps, input.vm);
		return carryOut(books.turnstile, () => books.vms.set(vm, input.values), input.dryRun);
	}),
};
