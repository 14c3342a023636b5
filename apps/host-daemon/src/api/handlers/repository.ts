import {
	repositoryAddInputSchema,
	repositoryInputSchema,
	repositoryRemoveInputSchema,
	repositoryRescanInputSchema,
} from "@knib/core";
import { carryOut } from "../../catalog/change.ts";
import { procedure } from "../trpc.ts";

/** Directories that hold backups. */
export const repositoryProcedures = {
	list: procedure.query(async ({ ctx }) => {
		const { repositories } = ctx.deps.books;
		return await Promise.all((await repositories.known()).map(repositories.view));
	}),
	show: procedure.input(repositoryInputSchema).query(async ({ ctx, input }) => {
		const { repositories } = ctx.deps.books;
		return await repositories.view(await repositories.find(input.repository));
	}),
	add: procedure.input(repositoryAddInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, repositoryChanges } = ctx.deps.books;
		return carryOut(turnstile, () => repositoryChanges.add(input), input.dryRun);
	}),
	rescan: procedure.input(repositoryRescanInputSchema).mutation(async ({ ctx, input }) => {
		const { turnstile, repositories, rescan } = ctx.deps.books;
		const which =
			input.repository === undefined
				? await repositories.known()
				: [await repositories.find(input.repository)];
		return await turnstile(() => rescan(which));
	}),
	remove: procedure.input(repositoryRemoveInputSchema).mutation(({ ctx, input }) => {
		const { turnstile, repositoryChanges } = ctx.deps.books;
		return carryOut(turnstile, () => repositoryChanges.remove(input.repository), input.dryRun);
	}),
};
