import {
	type SchedulePreview,
	scheduleCreateInputSchema,
	scheduleDeleteInputSchema,
	schedulePreviewInputSchema,
	scheduleUpdateInputSchema,
} from "@knib/core";
import { carryOut } from "../../catalog/change.ts";
import { scheduledVms } from "../../jobs/scheduled-vms.ts";
import { procedure } from "../trpc.ts";

/** When VMs are backed up by themselves. */
export const scheduleProcedures = {
	list: procedure.query(({ ctx }) => ctx.deps.books.schedules.list()),
	preview: procedure
		.input(schedulePreviewInputSchema)
		.query(async ({ ctx: { deps }, input }): Promise<SchedulePreview> => {
			const preview = await deps.books.schedules.preview(input.schedule, input.count);
			const { hypervisor } = deps;
			const vms = await scheduledVms(hypervisor, preview.schedule, await hypervisor.list());
			return { ...preview, vms: vms.map(({ uuid, name }) => ({ uuid, name })) };
		}),
	create: procedure.input(scheduleCreateInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, schedules } = ctx.deps.books;
		return carryOut(turnstile, () => schedules.create(input), input.dryRun);
	}),
	update: procedure.input(scheduleUpdateInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, schedules } = ctx.deps.books;
		return carryOut(turnstile, () => schedules.update(input.schedule, input.changes), input.dryRun);
	}),
	delete: procedure.input(scheduleDeleteInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, schedules } = ctx.deps.books;
		return carryOut(turnstile, () => schedules.delete(input.schedule), input.dryRun);
	}),
};
