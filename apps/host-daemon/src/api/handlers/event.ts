import { eventFilterSchema } from "@knib/core";
import { procedure } from "../trpc.ts";

/** The audit trail and the alerts of this host. */
export const eventProcedures = {
	list: procedure
		.input(eventFilterSchema)
		.query(async ({ ctx: { deps }, input }) => (await deps.audit?.read(input)) ?? []),
};
