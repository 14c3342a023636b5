import {
	backupFilterSchema,
	backupInputSchema,
	chainFilterSchema,
	chainInputSchema,
	KnibError,
} from "@knib/core";
import { procedure } from "../trpc.ts";
import { findVmOrPast } from "../vm-views.ts";

/** Restore points, as the view has them. */
export const backupProcedures = {
	list: procedure.input(backupFilterSchema).query(async ({ ctx: { deps }, input }) => {
		const vm = input.vm === undefined ? undefined : (await findVmOrPast(deps, input.vm)).uuid;
		return await deps.books.backups.list(vm === undefined ? input : { ...input, vm });
	}),
	show: procedure.input(backupInputSchema).query(async ({ ctx: { deps }, input }) => {
		const { backups } = deps.books;
		const vm = input.vm === undefined ? undefined : await findVmOrPast(deps, input.vm);
		if (input.backup === "latest") {
			if (vm !== undefined) return await backups.latest(vm.uuid);
			throw new KnibError("USAGE", "`latest` names a VM's newest backup: say which with --vm");
		}
		const found = await backups.find(input.backup);
		if (vm === undefined || found.vm.uuid === vm.uuid) return found;
		throw new KnibError(
			"NOT_FOUND",
			`backup ${input.backup} is one of ${found.vm.name}, not of ${vm.name}`,
		);
	}),
};

/** Chains, as the view has them. */
export const chainProcedures = {
	list: procedure.input(chainFilterSchema).query(async ({ ctx: { deps }, input }) => {
		const vm = input.vm === undefined ? undefined : (await findVmOrPast(deps, input.vm)).uuid;
		return await deps.books.backups.chains(vm);
	}),
	show: procedure
		.input(chainInputSchema)
		.query(({ ctx, input }) => ctx.deps.books.backups.findChain(input.chain)),
};
