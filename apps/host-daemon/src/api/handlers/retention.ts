import { retentionInputSchema } from "@knib/core";
import { applyRetention, previewRetention } from "../../jobs/retention.ts";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";
import { findVmOrPast } from "../vm-views.ts";

const uuidOf = async (deps: ApiDeps, vm: string | undefined): Promise<string | undefined> =>
	vm === undefined ? undefined : (await findVmOrPast(deps, vm)).uuid;

/** What the offerings' retention keeps and lets go. */
export const retentionProcedures = {
	preview: procedure
		.input(retentionInputSchema)
		.query(async ({ ctx: { deps }, input }) =>
			previewRetention(deps, await uuidOf(deps, input.vm)),
		),
	apply: procedure.input(retentionInputSchema).mutation(async ({ ctx: { deps, user }, input }) => {
		await deps.ready;
		return await applyRetention(deps, await uuidOf(deps, input.vm), user);
	}),
};
