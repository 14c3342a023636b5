import {
	offeringCloneInputSchema,
	offeringCreateInputSchema,
	offeringDeleteInputSchema,
	offeringFilterSchema,
	offeringInputRefSchema,
	offeringUpdateInputSchema,
} from "@knib/core";
import { carryOut } from "../../catalog/change.ts";
import { procedure } from "../trpc.ts";

/** Named policies. */
export const offeringProcedures = {
	list: procedure
		.input(offeringFilterSchema)
		.query(({ ctx, input }) => ctx.deps.books.offerings.list(input)),
	show: procedure
		.input(offeringInputRefSchema)
		.query(({ ctx, input }) => ctx.deps.books.offerings.show(input.offering)),
	create: procedure.input(offeringCreateInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, offerings } = ctx.deps.books;
		return carryOut(turnstile, () => offerings.create(input), input.dryRun);
	}),
	update: procedure.input(offeringUpdateInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, offerings } = ctx.deps.books;
		return carryOut(turnstile, () => offerings.update(input.offering, input.changes), input.dryRun);
	}),
	clone: procedure.input(offeringCloneInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, offerings } = ctx.deps.books;
		return carryOut(turnstile, () => offerings.clone(input.offering, input.name), input.dryRun);
	}),
	delete: procedure.input(offeringDeleteInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, offerings } = ctx.deps.books;
		return carryOut(turnstile, () => offerings.delete(input.offering), input.dryRun);
	}),
};
